/** What the store keeps of one file. Knows no nodeid: numbers that a kernel sees are the business of `ids/`. */

import { bytesOf } from '../../protocol/byte-string.js';
import type { Content } from './content.js';

/** A point in time; `sec` since 1970 as the protocol carries it (any 64 bits), `nsec` 0 to 999,999,999. */
export interface Time {
  readonly sec: bigint;
  readonly nsec: number;
}

/** A name in a directory; `cookie` is the READDIR offset that resumes after it and never changes while the name exists. */
export interface Entry {
  readonly name: string;
  readonly ino: number;
  readonly cookie: number;
}

/** A directory's names; `fill` adds those that are only made up on first use, then becomes undefined. */
export interface DirectoryBody {
  readonly kind: 'directory';
  readonly entries: Map<string, Entry>;
  parent: number;
  nextCookie: number;
  fill: (() => void) | undefined;
  /** The entries ordered by cookie, until the next change. */
  listing: readonly Entry[] | undefined;
}

/** What makes a file, a directory, a link, or a device, pipe or socket what it is. */
export type Body =
  | DirectoryBody
  | { readonly kind: 'file'; readonly content: Content }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'special' };

/** One file of any type. Names and link texts are strings as the protocol's `byte-string.ts` makes them. */
export interface Inode {
  readonly ino: number;
  /** Goes up each time that `ino` is given to a new file. */
  readonly generation: number;
  /** Type and permissions, as in `fuse_attr.mode`. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  readonly rdev: number;
  atime: Time;
  mtime: Time;
  ctime: Time;
  readonly body: Body;
  xattrs: Map<string, Uint8Array> | undefined;
  /** Lookups and open handles that keep the inode although it may have no name. */
  pins: number;
}

/** File type bits of a mode (S_IFMT of stat.h). */
export const FileType = {
  mask: 0o170000,
  socket: 0o140000,
  symlink: 0o120000,
  file: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

/** Size in bytes as `stat` shows it. */
export const sizeOf = (inode: Inode): number => {
  if (inode.body.kind === 'file') return inode.body.content.size;
  if (inode.body.kind === 'symlink') return bytesOf(inode.body.target).length;
  return inode.body.kind === 'directory' ? 4096 : 0;
};
