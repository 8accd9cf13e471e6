/** Numbers, flags and bytes in a plan's text, and back. Parsers give `undefined` for what they cannot read. */

import { type FlagSet, InitFlag, initFlagNames } from '../../protocol/flags.js';

const HEX_FROM = 1n << 32n;
const NUMBER = /^(0x[0-9a-f]+|0[0-7]+|0|-?[1-9]\d*)$/i;
const MOST_U64 = (1n << 64n) - 1n;

/** A u64 or i64: decimal when it is small. */
export const bigText = (value: bigint): string =>
  value >= HEX_FROM ? `0x${value.toString(16)}` : value.toString();

/** Decimal, hexadecimal with `0x`, or octal with a leading 0. */
export const parseBig = (text: string): bigint | undefined => {
  if (!NUMBER.test(text)) return undefined;
  const value = /^0[0-7]/.test(text) ? BigInt(`0o${text}`) : BigInt(text);
  return value > MOST_U64 || value < -(1n << 63n) ? undefined : value;
};

/** The same as `parseBig`, up to 2^53. */
export const parseNumber = (text: string): number | undefined => {
  const value = parseBig(text);
  return value === undefined || !Number.isSafeInteger(Number(value)) ? undefined : Number(value);
};

/** A mode in octal. */
export const modeText = (value: number): string => (value === 0 ? '0' : `0${value.toString(8)}`);

/** Named flags joined by `|`, as `flagText` prints them; numbers may stand among the names. */
export const parseFlags = (set: FlagSet, text: string): number | undefined => {
  let flags = 0;
  for (const word of text.split('|')) {
    const bit = Object.hasOwn(set, word) ? set[word] : parseNumber(word);
    if (bit === undefined) return undefined;
    flags |= bit;
  }
  return flags >>> 0;
};

/** INIT flags by name, those without one as `bitN`. */
export const initFlagText = (flags: bigint): string =>
  initFlagNames(flags)
    .map((name) => name.replace(' ', ''))
    .join('|') || '0';

const initBits: ReadonlyMap<string, bigint> = new Map(Object.entries(InitFlag));
const initBit = (word: string): bigint | undefined => {
  const number = /^bit(\d{1,2})$/.exec(word)?.[1];
  return initBits.get(word) ?? (number === undefined ? parseBig(word) : 1n << BigInt(number));
};

/** The inverse of `initFlagText`. */
export const parseInitFlags = (text: string): bigint | undefined => {
  let flags = 0n;
  for (const word of text.split('|')) {
    const bit = initBit(word);
    if (bit === undefined) return undefined;
    flags |= bit;
  }
  return flags;
};

/** `3,7-9`: numbers in rising order, stretches of them joined. */
export const rangesText = (numbers: readonly number[]): string => {
  const ranges: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    const start = at;
    while ((numbers[at + 1] ?? -1) === (numbers[at] ?? 0) + 1) at++;
    ranges.push(at - start < 2 ? numbers.slice(start, at + 1).join(',') : `${numbers[start]}-${numbers[at]}`);
    at++;
  }
  return ranges.join(',');
};

const RANGE = /^(\d+)(?:-(\d+))?$/;
/** Lists longer than any plan are a mistake, and would fill the memory. */
const MOST_NUMBERS = 1e7;

/** The inverse of `rangesText`. */
export const parseRanges = (text: string): number[] | undefined => {
  const numbers: number[] = [];
  for (const word of text.split(',')) {
    const [whole, from = '', to = from] = RANGE.exec(word) ?? [];
    const count = Number(to) - Number(from) + numbers.length;
    if (whole === undefined || count > MOST_NUMBERS) return undefined;
    for (let number = Number(from); number <= Number(to); number++) numbers.push(number);
  }
  return numbers;
};
