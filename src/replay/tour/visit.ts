/** Everything that a tour asks of one node: attributes, permissions, extended attributes, link target, contents. */

import type { Rng } from '../../base/rng.js';
import { textOf } from '../../protocol/byte-string.js';
import { Fopen, GetattrFlag } from '../../protocol/flags.js';
import type { Calls } from './calls.js';
import { S_IFLNK, S_IFREG } from './file-types.js';
import { close, type OpenFile, open, read, type Stretch } from './files.js';
import { OpenFor } from './open-flags.js';
import type { KnownNode, TourLimits, TourState } from './state.js';

const PAGE = 4096n;
const R_OK = 4;
/** Extended attributes of one node that are read. */
const XATTRS_READ = 8;

/** Looks at a node from all sides; a regular file is read. */
export function* visit(state: TourState, node: KnownNode): Calls<void> {
  const { caller } = state;
  yield* caller.ask('GETATTR', node.nodeid, {});
  yield* caller.ask('ACCESS', node.nodeid, { mask: R_OK });
  yield* readXattrs(state, node.nodeid);
  if (node.type === S_IFLNK) yield* caller.ask('READLINK', node.nodeid, {});
  if (node.type === S_IFREG) yield* readFile(state, node);
}

/** Attributes of an open file, by its handle. */
export function* fstat({ caller }: TourState, { nodeid, fh }: OpenFile): Calls<void> {
  yield* caller.ask('GETATTR', nodeid, { getattrFlags: GetattrFlag.FH, fh });
}

/** Lists and reads extended attributes as getfattr does: first the length of each answer, then the answer. */
export function* readXattrs({ caller, counts }: TourState, nodeid: bigint): Calls<void> {
  const room = (yield* caller.ask('LISTXATTR', nodeid, { size: 0 })).fields?.size ?? 0;
  if (room === 0) return;
  const { fields } = yield* caller.ask('LISTXATTR', nodeid, { size: room });
  const list = fields?.value ?? new Uint8Array();
  const names = textOf(list, 0, list.length).split('\0').filter(Boolean);
  for (const name of names.slice(0, XATTRS_READ)) {
    const { fields: length } = yield* caller.ask('GETXATTR', nodeid, { size: 0, name });
    if (length?.size) yield* caller.ask('GETXATTR', nodeid, { size: length.size, name });
    counts.xattrs++;
  }
}

/** Opens, reads and closes a regular file, unless it is to stay open. */
export function* readFile(state: TourState, { nodeid, size }: KnownNode): Calls<void> {
  const { caller, counts, limits, rng } = state;
  const file = yield* open(caller, nodeid, { flags: OpenFor.reading, isDirectory: false });
  if (file === undefined) return;
  for (const stretch of stretchesOf(file, size, { limits, rng })) {
    const left = limits.bytes - counts.bytesRead;
    if (stretch.length > left) state.cut.add('bytes');
    counts.bytesRead += yield* read(caller, file, { ...stretch, length: Math.min(stretch.length, left) });
  }
  if (!state.keepsOpen(file)) yield* close(caller, file);
}

/** A small file whole; of a large one the start, some pages in the middle, and the end. */
const stretchesOf = (
  { openFlags }: OpenFile,
  size: bigint,
  { limits, rng }: { readonly limits: TourLimits; readonly rng: Rng },
): Stretch[] => {
  const { wholeBytes, partBytes } = limits;
  // Such a file has no positions, or a size that says nothing: it is read from the start as far as it goes.
  const isStream = (openFlags & (Fopen.NONSEEKABLE | Fopen.STREAM)) !== 0;
  const isUnsized = size === 0n && (openFlags & Fopen.DIRECT_IO) !== 0;
  if (isStream || isUnsized) return [{ offset: 0n, length: wholeBytes }];
  if (size <= BigInt(wholeBytes)) return [{ offset: 0n, length: Number(size) }];
  const part = (offset: bigint): Stretch => ({ offset: (offset / PAGE) * PAGE, length: partBytes });
  return [part(0n), part(rng.u64() % size), part(size - BigInt(partBytes))];
};
