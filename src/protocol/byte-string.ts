/**
 * File names between bytes and strings. Linux names are bytes without an encoding; here they are strings of UTF-8, and a
 * byte that is no UTF-8 becomes the lone surrogate U+DC80 + (byte - 0x80), so that every name survives a round trip.
 */

const ESCAPE = 0xdc00;
const isEscape = (code: number): boolean => code >= 0xdc80 && code <= 0xdcff;
// Beyond this the call into native code costs less than the loop.
const SHORT = 32;

const LONE_SURROGATE = /\p{Surrogate}/u;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const valid = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

const sequenceLength = (first: number): number => {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
};

const escaped = (bytes: Uint8Array): string => {
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    const character = valid(bytes.subarray(at, at + length));
    out += character ?? String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += character === undefined ? 1 : length;
  }
  return out;
};

/** Name in `bytes` from `start` up to `end`. */
export const textOf = (bytes: Uint8Array, start: number, end: number): string => {
  if (end - start > SHORT) return slowTextOf(bytes.subarray(start, end));
  let out = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80) return slowTextOf(bytes.subarray(start, end));
    out += String.fromCharCode(byte);
  }
  return out;
};

const slowTextOf = (bytes: Uint8Array): string => valid(bytes) ?? escaped(bytes);

/** Bytes of a name, the inverse of `textOf`. */
export const bytesOf = (text: string): Uint8Array => {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text, 'utf8');
  const pieces = Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    return character.length === 1 && isEscape(code)
      ? Uint8Array.of(code - ESCAPE)
      : Buffer.from(character, 'utf8');
  });
  return Buffer.concat(pieces);
};
