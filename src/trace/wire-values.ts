/** Between the values of the generated protobuf code (Long, bytes) and ours (bigint, string). */

import Long from 'long';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A u64 for the generated encoder, which takes a bigint for 0 without a word; taken modulo 2^64. */
export const toLong = (value: bigint): Long =>
  Long.fromBits(Number(value & 0xffffffffn) | 0, Number((value >> 32n) & 0xffffffffn) | 0, true);

/** A count or offset for the generated encoder. */
export const countToLong = (value: number): Long => Long.fromNumber(value, true);

/** A u64 from the generated decoder; 0 when the field was absent. */
export const fromLong = (value: Long | null | undefined): bigint =>
  value == null ? 0n : (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);

/** A count or offset from the generated decoder; anything above 2^53 - 1 becomes that, which no file reaches. */
export const countFromLong = (value: Long | null | undefined): number =>
  value == null ? 0 : Math.min((value.high >>> 0) * 2 ** 32 + (value.low >>> 0), Number.MAX_SAFE_INTEGER);

/** A string of the operating system as bytes. */
export const toBytes = (text: string): Uint8Array => encoder.encode(text);

/** Bytes of the operating system as text; what is not UTF-8 becomes U+FFFD. */
export const toText = (bytes: Uint8Array | null | undefined): string =>
  bytes == null ? '' : decoder.decode(bytes);
