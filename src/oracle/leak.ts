/** Whether bytes that a server handed out look like its own memory. Pure: the memory map is an input. */

import type { MappedRange } from './id-kind.js';

/** Numbers below could be anything; programs that are not position independent begin above. */
const LOWEST = 1n << 22n;
/** In small programs addresses are small numbers, which files hold too: one is chance. */
const SMALL = 1n << 32n;
const WORD = 8;
const SHOWN = 3;

/** An address among bytes. */
export interface FoundAddress {
  /** Offset in the bytes. */
  readonly at: number;
  readonly value: bigint;
  readonly range: MappedRange;
}

const sorted = (maps: readonly MappedRange[]): MappedRange[] =>
  maps.filter(({ end }) => end > LOWEST).sort((a, b) => (a.start < b.start ? -1 : 1));

const rangeOf = (ranges: readonly MappedRange[], value: bigint): MappedRange | undefined => {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return undefined;
    if (value < range.start) high = middle - 1;
    else if (value >= range.end) low = middle + 1;
    else return range;
  }
  return undefined;
};

/** Aligned words of `bytes` that point into the memory `maps`; none when there is doubt. */
export const addressesIn = (bytes: Uint8Array, maps: readonly MappedRange[]): FoundAddress[] => {
  const ranges = sorted(maps);
  if (ranges.length === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: FoundAddress[] = [];
  for (let at = 0; at + WORD <= bytes.length; at += WORD) {
    const value = view.getBigUint64(at, true);
    const range = value < LOWEST ? undefined : rangeOf(ranges, value);
    if (range !== undefined) found.push({ at, value, range });
  }
  return found.length > 1 || found.some(({ value }) => value >= SMALL) ? found : [];
};

/** A mapping for people, such as `[heap] (rw-p)`. */
export const mappingText = ({ path, permissions }: MappedRange): string =>
  `${path === '' ? 'anonymous memory' : path} (${permissions})`;

/** Addresses for people: the first few, with the mapping that they lie in. */
export const addressText = (found: readonly FoundAddress[]): string[] => {
  const lines = found.slice(0, SHOWN).map(({ at, value, range }) => {
    return `byte ${at} holds 0x${value.toString(16)}, an address in ${mappingText(range)}`;
  });
  return found.length > SHOWN ? [...lines, `${found.length - SHOWN} addresses more`] : lines;
};
