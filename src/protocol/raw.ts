/** Numbers at offsets of raw bytes, without a view and without a copy. Bytes beyond the end read as 0. */

/** The u32 at an offset. */
export const u32At = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)) >>>
  0;

/** The u64 at an offset. */
export const u64At = (bytes: Uint8Array, at: number): bigint => {
  const high = u32At(bytes, at + 4);
  return high === 0 ? BigInt(u32At(bytes, at)) : (BigInt(high) << 32n) | BigInt(u32At(bytes, at));
};

// A DataView for each write costs four times as much.
const word = new BigUint64Array(1);
const wordBytes = new Uint8Array(word.buffer);

/** Writes a u64 at an offset; taken modulo 2^64. Bytes beyond the end are lost. */
export const putU64At = (bytes: Uint8Array, at: number, value: bigint): void => {
  word[0] = value;
  for (let index = 0; index < 8; index++) bytes[at + index] = wordBytes[index] ?? 0;
};
