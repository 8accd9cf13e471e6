/** Addresses in a server's memory, by what lies there. Pure: the memory map is an input. */

import type { MappedRange } from '../oracle/id-kind.js';
import type { MemoryPlace } from '../plan/plan.js';

const PAGE = 4096n;
const ALIGNMENT = 16n;
/** Not the first bytes, which are mostly a header of an allocator or a file. */
const INSIDE = 0x100n;

const named = (maps: readonly MappedRange[], path: string): MappedRange | undefined =>
  maps.find((range) => range.path === path);

const withPermissions = (maps: readonly MappedRange[], permissions: string): MappedRange | undefined =>
  maps.find((range) => range.permissions === permissions && range.path.startsWith('/'));

const into = (range: MappedRange | undefined, offset: bigint): bigint | undefined =>
  range === undefined ? undefined : range.start + offset;

const middleOf = ({ start, end }: MappedRange): bigint => (start + (end - start) / 2n) & ~(ALIGNMENT - 1n);

/** The first page behind a mapping that belongs to none. */
const gapIn = (maps: readonly MappedRange[]): bigint | undefined => {
  const sorted = [...maps].sort((a, b) => (a.start < b.start ? -1 : 1));
  const before = sorted.find(({ end }, index) => {
    const next = sorted[index + 1];
    return next !== undefined && next.start >= end + PAGE;
  });
  return before?.end;
};

const places: Readonly<Record<MemoryPlace, (maps: readonly MappedRange[]) => bigint | undefined>> = {
  'heap.start': (maps) => into(heapOf(maps), INSIDE),
  'heap.middle': (maps) => {
    const heap = heapOf(maps);
    return heap === undefined ? undefined : middleOf(heap);
  },
  'heap.end': (maps) => {
    const heap = heapOf(maps);
    return heap === undefined ? undefined : heap.end - INSIDE;
  },
  data: (maps) => into(withPermissions(maps, 'rw-p'), INSIDE),
  stack: (maps) => {
    const stack = named(maps, '[stack]');
    return stack === undefined ? undefined : stack.end - PAGE;
  },
  code: (maps) => into(withPermissions(maps, 'r-xp'), INSIDE),
  gap: gapIn,
};

/** Runtimes with an allocator of their own have no `[heap]`. */
const heapOf = (maps: readonly MappedRange[]): MappedRange | undefined =>
  named(maps, '[heap]') ?? maps.find(({ path, permissions }) => path === '' && permissions === 'rw-p');

/** The address of a place; `undefined` when the map has no such place. */
export const addressOf = (place: MemoryPlace, maps: readonly MappedRange[]): bigint | undefined =>
  places[place](maps);
