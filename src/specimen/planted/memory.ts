/** What a server finds in its memory where nobody put anything. */

import { putU64At } from '../../protocol/raw.js';
import type { Heap } from '../ids/heap.js';

/** Bytes of text where an address is wanted: no such address exists on any machine (not canonical). */
const NO_ADDRESS = 0x6e69_6c20_7478_6574n;

/** Follows a pointer that was never one: the end of the server by SIGSEGV. */
export const followGarbage = (heap: Heap): void => {
  heap.readU64(NO_ADDRESS);
};

/**
 * What malloc(3) gives without clearing: addresses of freed records, each in a word of its own. `phase`: bytes that stand before
 * them, so that the words are aligned as those are.
 */
export const unfilled = (heap: Heap, length: number, phase = 0): Uint8Array => {
  const bytes = new Uint8Array(length);
  const record = heap.allocate();
  for (let at = (8 - (phase % 8)) % 8; at + 8 <= length; at += 8) putU64At(bytes, at, record + BigInt(at));
  heap.free(record);
  return bytes;
};
