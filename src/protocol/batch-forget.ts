/** How many forgets go into one BATCH_FORGET. The kernel fills whatever buffer it is given, so who reads for a server must know. */

import { IN_HEADER_SIZE } from './header.js';
import { u32At } from './raw.js';
import { batchForgetIn, forgetOne } from './structs.js';

const ITEMS_AT = IN_HEADER_SIZE + batchForgetIn.size;
const COUNT_AT = IN_HEADER_SIZE;

/** FUSE_MIN_READ_BUFFER. */
const MIN_READ_BUFFER = 8192;
/** `fuse_in_header` and `fuse_write_in`. */
const WRITE_HEADERS = 80;

/** Forgets that fit the smallest buffer with which a server may read requests (fuse_dev_do_read); maxWrite in bytes. */
export const mostForgets = (maxWrite: number): number =>
  Math.floor((Math.max(MIN_READ_BUFFER, WRITE_HEADERS + maxWrite) - ITEMS_AT) / forgetOne.size);

/**
 * A whole BATCH_FORGET as several with at most `most` forgets each, in order, under the same unique, which nothing answers.
 * Itself alone when it is short enough.
 */
export const splitBatchForget = (bytes: Uint8Array, most: number): readonly Uint8Array[] => {
  const room = most * forgetOne.size;
  if (bytes.length <= ITEMS_AT + room) return [bytes];
  const items = bytes.subarray(ITEMS_AT, ITEMS_AT + u32At(bytes, COUNT_AT) * forgetOne.size);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < items.length; at += room)
    pieces.push(batchOf(bytes.subarray(0, ITEMS_AT), items.subarray(at, at + room)));
  return pieces;
};

const batchOf = (headers: Uint8Array, items: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(headers.length + items.length);
  bytes.set(headers);
  bytes.set(items, headers.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(COUNT_AT, Math.floor(items.length / forgetOne.size), true);
  return bytes;
};
