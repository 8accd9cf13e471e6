/** What a reply says of a node around its nodeid: every reply that mints one has a `fuse_entry_out` there. */

import { fieldAt } from '../protocol/layout.js';
import { u32At } from '../protocol/raw.js';
import { entryOut } from '../protocol/structs.js';
import type { NodeFacts } from './symbol-store.js';

const S_IFMT = 0xf000;
const S_IFDIR = 0x4000;

const fromNodeid = (field: string): number =>
  (fieldAt(entryOut, field)?.offset ?? 0) - (fieldAt(entryOut, 'nodeid')?.offset ?? 0);
const GENERATION = fromNodeid('generation');
const MODE = fromNodeid('attr.mode');
const INO = fromNodeid('attr.ino');
const NLINK = fromNodeid('attr.nlink');

/** Generation and type of the node whose nodeid stands at an offset. */
export const nodeFactsAt = (bytes: Uint8Array, nodeidAt: number): NodeFacts => ({
  generationLow: u32At(bytes, nodeidAt + GENERATION),
  generationHigh: u32At(bytes, nodeidAt + GENERATION + 4),
  type: u32At(bytes, nodeidAt + MODE) & S_IFMT,
});

/** Inode number, up to 2^53, of a file that has several links; `undefined` for any other node. */
export const linkedInodeAt = (bytes: Uint8Array, nodeidAt: number): number | undefined => {
  const isDirectory = (u32At(bytes, nodeidAt + MODE) & S_IFMT) === S_IFDIR;
  if (isDirectory || u32At(bytes, nodeidAt + NLINK) < 2) return undefined;
  return u32At(bytes, nodeidAt + INO) + (u32At(bytes, nodeidAt + INO + 4) & 0x1fffff) * 2 ** 32;
};
