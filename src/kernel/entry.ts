/** A `fuse_entry_out` or `fuse_attr` of a reply, as far as the kernel looks at it before it believes it. */

import { u32At } from '../protocol/raw.js';
import { attr, entryOut } from '../protocol/structs.js';
import type { NodeKey } from './node-table.js';
import type { AttrSite } from './shape.js';
import { offsetIn } from './shape.js';
import { u16 } from './wire.js';

const S_IFMT = 0xf000;
const GENERATION_AT = offsetIn(entryOut, 'generation');
const ATTR_AT = offsetIn(entryOut, 'attr');
const MODE_AT = ATTR_AT + offsetIn(attr, 'mode');
const SIZE_AT = ATTR_AT + offsetIn(attr, 'size');

/** The types that an inode can have (`fuse_valid_type`): FIFO, character device, directory, block device, file, link, socket. */
const types = new Set([0x1000, 0x2000, 0x4000, 0x6000, 0x8000, 0xa000, 0xc000]);

const STATX_TYPE = 0x1;
const STATX_SIZE = 0x200;
const TOO_LARGE = 0x8000_0000;

/** Nodeid, generation and type of an entry at an offset. */
export const entryKey = (bytes: Uint8Array, at: number): NodeKey => ({
  low: u32At(bytes, at),
  high: u32At(bytes, at + 4),
  generation: u32At(bytes, at + GENERATION_AT),
  type: u32At(bytes, at + MODE_AT) & S_IFMT,
});

/** Whether an entry's attributes are impossible: no file type, or a size above 2^63 - 1 (`fuse_invalid_attr`). */
export const entryIsInvalid = (bytes: Uint8Array, at: number): boolean =>
  !types.has(u32At(bytes, at + MODE_AT) & S_IFMT) || u32At(bytes, at + SIZE_AT + 4) >= TOO_LARGE;

/** What GETATTR, SETATTR or STATX say of a node; `type` is absent when STATX leaves it out. */
export interface AttrView {
  readonly type: number | undefined;
  readonly invalid: boolean;
}

/** Looks at the attributes of a reply as `fuse_do_getattr` and `fuse_do_statx` do. */
export const readAttr = (reply: Uint8Array, site: AttrSite): AttrView => {
  const mask = site.maskAt === undefined ? STATX_TYPE | STATX_SIZE : u32At(reply, site.maskAt);
  const mode = site.maskAt === undefined ? u32At(reply, site.modeAt) : u16(reply, site.modeAt);
  const type = (mask & STATX_TYPE) === 0 ? undefined : mode & S_IFMT;
  const large = (mask & STATX_SIZE) !== 0 && u32At(reply, site.sizeAt + 4) >= TOO_LARGE;
  return { type, invalid: large || (type !== undefined && !types.has(type)) };
};

/** Whether a key names the root. */
export const isRootKey = (key: NodeKey): boolean => key.low === 1 && key.high === 0;
/** Whether a key names no node. */
export const isNoNode = (key: NodeKey): boolean => key.low === 0 && key.high === 0;
