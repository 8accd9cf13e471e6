/** Inodes as the protocol shows them: `fuse_attr`, `fuse_entry_out`, `fuse_attr_out`. */

import type { Draft } from '../../protocol/encode.js';
import type { ReplyFields } from '../../protocol/operations.js';
import { type Inode, sizeOf } from '../store/inode.js';
import type { Server } from './server.js';

/** Preferred size of reads and writes, in bytes. */
export const BLOCK_SIZE = 4096;

/** 512-byte blocks that a size takes. */
export const blocksOf = (size: number): number => Math.ceil(size / BLOCK_SIZE) * (BLOCK_SIZE / 512);

/** The attributes of an inode. */
export const attrOf = (inode: Inode): Draft<ReplyFields<'GETATTR'>['attr']> => ({
  ino: BigInt(inode.ino),
  size: BigInt(sizeOf(inode)),
  blocks: BigInt(blocksOf(sizeOf(inode))),
  atime: inode.atime.sec,
  mtime: inode.mtime.sec,
  ctime: inode.ctime.sec,
  atimensec: inode.atime.nsec,
  mtimensec: inode.mtime.nsec,
  ctimensec: inode.ctime.nsec,
  mode: inode.mode,
  nlink: inode.nlink,
  uid: inode.uid,
  gid: inode.gid,
  rdev: inode.rdev,
  blksize: BLOCK_SIZE,
});

const secondsOf = (timeoutS: number): bigint => BigInt(Math.floor(timeoutS));
const nanosecondsOf = (timeoutS: number): number => Math.round((timeoutS % 1) * 1e9);

/** Attributes as GETATTR and SETATTR answer. */
export const attrOut = (server: Server, inode: Inode): Draft<ReplyFields<'GETATTR'>> => ({
  attrValid: secondsOf(server.manner.attrTimeoutS),
  attrValidNsec: nanosecondsOf(server.manner.attrTimeoutS),
  attr: attrOf(inode),
});

/** A node as LOOKUP answers; counts one lookup. */
export const entryOut = (server: Server, inode: Inode): Draft<ReplyFields<'LOOKUP'>> => {
  // Spelt out: spreading costs more than all else that a LOOKUP does.
  const { nodeid, generation } = server.nodes.enter(inode);
  const { entryTimeoutS, attrTimeoutS } = server.manner;
  return {
    nodeid,
    generation,
    entryValid: secondsOf(entryTimeoutS),
    entryValidNsec: nanosecondsOf(entryTimeoutS),
    attrValid: secondsOf(attrTimeoutS),
    attrValidNsec: nanosecondsOf(attrTimeoutS),
    attr: attrOf(inode),
  };
};

/**
 * An entry without a node (nodeid 0): a name that is known to be missing, or, with an inode, a directory record that counts
 * no lookup.
 */
export const emptyEntry = (server: Server, inode?: Inode): Draft<ReplyFields<'LOOKUP'>> => ({
  entryValid: secondsOf(server.manner.negativeTimeoutS),
  entryValidNsec: nanosecondsOf(server.manner.negativeTimeoutS),
  attr: inode && attrOf(inode),
});
