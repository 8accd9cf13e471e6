/** Pairs of packet sockets that stand in for /dev/fuse: one FUSE message a packet, ours on one end, the server's on the other. */

import { fstatSync } from 'node:fs';
import { Errno, errnoName } from '../base/errno.js';
import { RelightError } from '../base/error.js';
import { close, getSocketOption, setSocketOption, socketpair } from './libc.js';

const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;

/** Enough for the largest request of a kernel whose fs.fuse.max_pages_limit was left alone (1 MiB), several times over. */
const WANTED_BUFFER = 8 << 20;

/** Bytes of a send buffer that the kernel keeps for itself (net/unix/af_unix.c, unix_dgram_sendmsg). */
const BUFFER_OVERHEAD = 32;

/** The two ends of a channel. Whoever holds them closes them. */
export interface ChannelPair {
  /** Our end. */
  readonly ours: number;
  /** The end that the server gets. */
  readonly theirs: number;
  /** Inode of the server's end: how its holders are found in /proc. */
  readonly theirInode: number;
  /** Largest message that passes either way, in bytes. */
  readonly maxMessage: number;
}

const enlarge = (fd: number): number => {
  for (const [force, plain] of [
    [SO_SNDBUFFORCE, SO_SNDBUF],
    [SO_RCVBUFFORCE, SO_RCVBUF],
  ] as const)
    if (setSocketOption(fd, force, WANTED_BUFFER) < 0) setSocketOption(fd, plain, WANTED_BUFFER);
  return getSocketOption(fd, SO_SNDBUF) - BUFFER_OVERHEAD;
};

/** A new channel, its buffers as large as this user may make them. Throws `environment` when there are no descriptors left. */
export const openChannel = (): ChannelPair => {
  const pair = socketpair(true);
  if (typeof pair === 'number')
    throw new RelightError('environment', `cannot make a socket pair: ${errnoName(pair)}`, {
      remedy: 'raise the limit of open files (ulimit -n)',
    });
  const [ours, theirs] = pair;
  return {
    ours,
    theirs,
    theirInode: fstatSync(theirs).ino,
    maxMessage: Math.min(enlarge(ours), enlarge(theirs)),
  };
};

/**
 * Whether sending failed because the message is longer than the channel passes, now and ever: EMSGSIZE where it exceeds the
 * send buffer (unix_dgram_sendmsg), ENOBUFS where no memory of that size is to be had (sock_alloc_send_pskb).
 */
export const isTooLong = (errno: number): boolean => errno === Errno.EMSGSIZE || errno === Errno.ENOBUFS;

/** Closes an end; a negative number is passed over. */
export const closeEnd = (fd: number): void => {
  if (fd >= 0) close(fd);
};
