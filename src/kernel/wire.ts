/**
 * Numbers in frames, read and written without views or bigints, for what the virtual kernel looks at on every message.
 * Bytes beyond the end read as 0; the caller has checked the length where it matters.
 */

import { u32At } from '../protocol/raw.js';

/** Little-endian u16. */
export const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** Writes a little-endian u32. */
export const put32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
};

/** Writes the low `high * 2^32 + low` as a little-endian u64. */
export const putPair = (bytes: Uint8Array, at: number, low: number, high: number): void => {
  put32(bytes, at, low);
  put32(bytes, at + 4, high);
};

/** Little-endian u64 as a Number; exact below 2^53, else the nearest Number. */
export const u53 = (bytes: Uint8Array, at: number): number =>
  u32At(bytes, at + 4) * 0x1_0000_0000 + u32At(bytes, at);

/** Offset of the NUL that ends a name; the end of the bytes when there is none. */
export const endOfName = (bytes: Uint8Array, at: number): number => {
  const end = bytes.indexOf(0, at);
  return end === -1 ? bytes.length : end;
};
