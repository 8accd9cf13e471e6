/**
 * The server's side of a connection, for servers of our own: the device of a real mount, or a descriptor that a parent handed
 * over as `/dev/fd/N`. It moves whole messages and knows nothing of what is in them.
 */

import { Errno, errnoName } from '../base/errno.js';
import { RelightError } from '../base/error.js';
import { close, fcntl, mount, open, POLLOUT, PollSet, read, umount2, write } from './libc.js';
import { FUSE_DEVICE, type MountRequest, mountFuse, unmountFuse } from './mount.js';

const O_RDWR = 2;
const F_GETFD = 1;
const MNT_DETACH = 2;

/** Errors of read(2) after which there may be a request the next time (fuse_dev_do_read, fs/fuse/dev.c). */
const PASSING: readonly number[] = [-Errno.EINTR, -Errno.EAGAIN, -Errno.ENOENT];

/** How sending went: `refused` when the other side would not take this message (`errno`), `ended` when it is gone. */
export type Sent = 'sent' | 'ended' | { readonly refused: number };

/** Requests in, replies out. */
export interface ServerChannel {
  /**
   * Waits at most `timeoutMs` for a request and reads it into the buffer: its length, 0 when there was none (the time was
   * up, or a signal came), or `ended` when the file system was unmounted or the other end closed.
   */
  receive(buffer: Uint8Array, timeoutMs: number): number | 'ended';
  send(message: Uint8Array): Sent;
  /** Unmounts what it mounted and closes the descriptor. */
  close(): void;
}

/**
 * Opens the connection of a server: `mountPoint` is a directory to mount on, or `/dev/fd/N`. `options` are the mount's own,
 * comma-separated. RelightError `usage` for a descriptor that is not open, `environment` when mounting failed.
 */
export const openServerChannel = (mountPoint: string, options: string): ServerChannel => {
  const handedOver = /^\/dev\/fd\/(\d+)$/.exec(mountPoint)?.[1];
  if (handedOver === undefined) return channelOn(mounted(mountPoint, options), mountPoint);
  const fd = Number(handedOver);
  if (fcntl(fd, F_GETFD, 0) < 0) throw new RelightError('usage', `${mountPoint} is not an open descriptor`);
  return channelOn(fd, undefined);
};

const mounted = (target: string, options: string): number => {
  const ids = `user_id=${process.geteuid?.() ?? 0},group_id=${process.getegid?.() ?? 0}`;
  const data = ['rootmode=40000', ids, 'default_permissions', options]
    .filter((word) => word !== '')
    .join(',');
  const request = { source: 'memfs', target, type: 'fuse.memfs', flags: 0, data };
  const device = mountedDirectly(request);
  if (device >= 0) return device;
  const made = device === -Errno.EPERM ? mountFuse(request) : device;
  if (typeof made !== 'number') return made.device;
  throw new RelightError('environment', `cannot mount on ${target}: ${errnoName(made)}`, {
    remedy: 'name an existing directory, and mount as root or install fusermount3',
  });
};

/** The kernel lets only root mount, but where somebody stands in for it everybody may: so this is tried first. */
const mountedDirectly = (request: MountRequest): number => {
  const device = open(FUSE_DEVICE, O_RDWR);
  if (device < 0) return device;
  const { source, target, type, flags, data } = request;
  const result = mount(source, target, type, flags, `fd=${device},${data}`);
  if (result >= 0) return device;
  close(device);
  return result;
};

const channelOn = (fd: number, target: string | undefined): ServerChannel => {
  const readable = new PollSet([fd]);
  const writable = new PollSet([fd]);
  writable.set(0, fd, POLLOUT);
  return {
    receive: (buffer, timeoutMs) => {
      if (readable.wait(timeoutMs) <= 0) return 0;
      const length = read(fd, buffer, buffer.length);
      if (length > 0) return length;
      return PASSING.includes(length) ? 0 : 'ended';
    },
    send: (message) => sendOn(fd, writable, message),
    close: () => {
      if (target !== undefined && umount2(target, MNT_DETACH) < 0) unmountFuse(target, { lazy: true });
      close(fd);
    },
  };
};

const GONE: readonly number[] = [-Errno.EPIPE, -Errno.ECONNRESET, -Errno.ENODEV, -Errno.ENOTCONN];

const sendOn = (fd: number, writable: PollSet, message: Uint8Array): Sent => {
  for (;;) {
    const result = write(fd, message, message.length);
    if (result >= 0) return 'sent';
    if (GONE.includes(result)) return 'ended';
    // The descriptor may be non-blocking for its owner's sake.
    if (result === -Errno.EAGAIN) writable.wait(-1);
    else if (result !== -Errno.EINTR) return { refused: -result };
  }
};
