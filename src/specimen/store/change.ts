/** The few primitive changes that every modification is made of, so that a journal of them can rebuild the store. */

import type { Time } from './inode.js';

/** A new inode without a name. `target` is a link's text. */
export interface InodeChange {
  readonly kind: 'inode';
  readonly ino: number;
  readonly generation: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly target?: string;
  readonly time: Time;
}

/** A name now means `ino`, or nothing when `ino` is undefined; link counts follow. */
export interface EntryChange {
  readonly kind: 'entry';
  readonly directory: number;
  readonly name: string;
  readonly ino: number | undefined;
}

/** The attributes that are given are set; `size` cuts or extends a file. */
export interface AttributesChange {
  readonly kind: 'attributes';
  readonly ino: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: Time;
  readonly mtime?: Time;
  readonly ctime?: Time;
}

/** Bytes were written. */
export interface DataChange {
  readonly kind: 'data';
  readonly ino: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A range became zeroes. */
export interface PunchChange {
  readonly kind: 'punch';
  readonly ino: number;
  readonly offset: number;
  readonly length: number;
}

/** An extended attribute was set, or removed when `value` is undefined. */
export interface XattrChange {
  readonly kind: 'xattr';
  readonly ino: number;
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

/** One primitive change. */
export type Change = InodeChange | EntryChange | AttributesChange | DataChange | PunchChange | XattrChange;

/** An answer worth remembering: what a request that changed something was told. */
export interface Answered {
  /** As the request was first sent. */
  readonly unique: bigint;
  /** CRC-32 of the request, so that another connection's request of the same unique is not mistaken for it. */
  readonly digest: number;
  readonly reply: Uint8Array;
}
