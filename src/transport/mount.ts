/** Real FUSE mounts of this machine: by mount(2) as root, otherwise through fusermount3, with the options that a server asked for. */

import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { Errno } from '../base/errno.js';
import { close, mount, open, receiveDescriptor, socketpair, umount2 } from './libc.js';

/** What a server gave to mount(2). */
export interface MountRequest {
  readonly source: string;
  /** Absolute, from our root. */
  readonly target: string;
  /** `fuse`, `fuse.SUBTYPE` or `fuseblk`. */
  readonly type: string;
  /** MS_ flags of mount(2). */
  readonly flags: number;
  /** Options for the file system, comma-separated, as given: with the server's own `fd=`. */
  readonly data: string;
}

/** A mount that was made: the device file that its messages cross. */
export interface DeviceMount {
  readonly device: number;
}

/** Device file of FUSE. */
export const FUSE_DEVICE = '/dev/fuse';

const O_RDWR = 2;
const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

// linux/mount.h; words that fusermount3 takes for them. It sets nosuid and nodev itself.
const flagWords: readonly (readonly [flag: number, word: string])[] = [
  [1, 'ro'],
  [8, 'noexec'],
  [16, 'sync'],
  [128, 'dirsync'],
  [1024, 'noatime'],
  [2048, 'nodiratime'],
];

const isRoot = (): boolean => process.geteuid?.() === 0;

const withDevice = (data: string, device: number): string =>
  [`fd=${device}`, ...data.split(',').filter((option) => option !== '' && !option.startsWith('fd='))].join(
    ',',
  );

const mountAsRoot = (request: MountRequest): DeviceMount | number => {
  const device = open(FUSE_DEVICE, O_RDWR);
  if (device < 0) return device;
  const result = mount(
    request.source,
    request.target,
    request.type,
    request.flags,
    withDevice(request.data, device),
  );
  if (result >= 0) return { device };
  close(device);
  return result;
};

const escapeOption = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll(',', '\\,');

const helperOptions = ({ source, type, flags, data }: MountRequest): string =>
  [
    ...flagWords.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word),
    ...data.split(',').filter((option) => !/^(fd|rootmode|user_id|group_id)=|^$/.test(option)),
    ...(type === 'fuseblk' ? ['blkdev'] : []),
    ...(type.startsWith('fuse.') ? [`subtype=${escapeOption(type.slice('fuse.'.length))}`] : []),
    `fsname=${escapeOption(source)}`,
  ].join(',');

const mountByHelper = (request: MountRequest): DeviceMount | number => {
  const pair = socketpair(false);
  if (typeof pair === 'number') return pair;
  const [ours, theirs] = pair;
  try {
    const done = spawnSync('fusermount3', ['-o', helperOptions(request), '--', request.target], {
      env: { ...process.env, _FUSE_COMMFD: '3' },
      stdio: ['ignore', 'ignore', 'inherit', theirs],
    });
    close(theirs);
    if (done.status !== 0) return -Errno.EPERM;
    const received = receiveDescriptor(ours);
    return typeof received === 'object' && received.fd !== undefined ? { device: received.fd } : -Errno.EPERM;
  } finally {
    close(ours);
  }
};

/**
 * Where a mount on the path would be in the kernel's table: absolute, symbolic links followed. The path as it is when
 * nothing is there. Not for a path that is mounted on: it would wait for the server.
 */
export const realTarget = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** Mounts for real; the device file, close-on-exec, or -errno as mount(2) gave it (fusermount3: EPERM). */
export const mountFuse = (request: MountRequest): DeviceMount | number =>
  isRoot() ? mountAsRoot(request) : mountByHelper(request);

/**
 * Unmounts; 0 or -errno. `lazy` takes the mount out of sight at once even when it is in use. As root this may wait for
 * the server, when the file system asked for a DESTROY message. `abort` (root alone may) first ends the connection, so that
 * everything that waits in it gets an error (fuse_umount_begin).
 */
export const unmountFuse = (target: string, options: { lazy: boolean; abort?: boolean }): number => {
  const flags = (options.lazy ? MNT_DETACH : 0) | (options.abort === true ? MNT_FORCE : 0);
  if (isRoot()) return umount2(target, flags | UMOUNT_NOFOLLOW);
  const done = spawnSync('fusermount3', ['-u', '-q', ...(options.lazy ? ['-z'] : []), '--', target], {
    stdio: 'ignore',
  });
  return done.status === 0 ? 0 : -Errno.EPERM;
};

/** A line of /proc/self/mountinfo. */
export interface MountPoint {
  /** Device number `major:minor`, unique to a FUSE connection. */
  readonly device: string;
  readonly target: string;
  readonly type: string;
  readonly source: string;
  /** Options of the mount and of the file system, as the kernel shows them. */
  readonly options: string;
}

const unescapeOctal = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));

/** All mounts that this process sees, in the order they were made. */
export const mountPoints = (): MountPoint[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [left, right] = line.split(' - ');
      const [, , device, , target, options] = left?.split(' ') ?? [];
      const [type, source, superOptions] = right?.split(' ') ?? [];
      if (device === undefined || target === undefined || type === undefined) return [];
      return [
        {
          device,
          target: unescapeOctal(target),
          type,
          source: unescapeOctal(source ?? ''),
          options: `${options},${superOptions}`,
        },
      ];
    });

/** The uppermost mount at a path, exactly as spelt in the kernel's table. */
export const mountAt = (target: string): MountPoint | undefined =>
  mountPoints().findLast((point) => point.target === target);
