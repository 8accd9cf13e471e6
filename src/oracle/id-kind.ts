/**
 * What kind of number a server's nodeids and file handles are, with the evidence, from the numbers that it gave and the
 * memory that it had. Pure. A pointer is what the whole program is about, so it is looked for first.
 */

import { type FirstMint, type IdTally, type Shape, shapeOf } from './id-features.js';

/** Kinds of ids; DESIGN and `relight stats --help` explain them. */
export type IdKind = 'pointer' | 'counter' | 'index' | 'inode' | 'fd' | 'constant' | 'opaque';

/** A mapping of the server's memory, of /proc/PID/maps. */
export interface MappedRange {
  readonly start: bigint;
  /** One past the last byte. */
  readonly end: bigint;
  /** Such as `rw-p`. */
  readonly permissions: string;
  readonly path: string;
}

/** A conclusion about the ids of one kind. */
export interface IdClass {
  /** Different values. */
  readonly count: number;
  readonly kind: IdKind;
  /** How many of them lie in a writable mapping of their server. */
  readonly pointers: number;
  /** Phrases for people, the strongest first. */
  readonly evidence: readonly string[];
}

/** What is known of the ids of one kind in one incarnation. */
export interface IdObservation {
  readonly what: 'node' | 'handle';
  readonly tally: IdTally;
  /** All mappings that the server had at some time; empty when nobody looked. */
  readonly ranges: readonly MappedRange[];
}

/** Below, numbers that happen to lie in memory prove nothing: no program is loaded lower. */
const LOWEST_ADDRESS = 1n << 22n;
const HALF = 1n << 32n;
const USER_SPACE = 1n << 47n;
/** malloc aligns to 16 on 64-bit machines; other allocators go down to 4. */
const ALIGNMENT = 4n;
/** A counter may leave out so many numbers between two, for things that were not seen. */
const SPARSE = 64n;
const FIRST_FREE_FD = 3n;
const MOST_FDS = 1n << 20n;
const MOSTLY = 0.98;
/** The root is 1 (FUSE_ROOT_ID); counters go on from there. */
const FIRST_COUNTED = 2n;
/** So many inode numbers of files that were there before are 2, 3, 4 … in order of lookup once in 720 times by chance. */
const FEWEST_IN_STEP = 6;

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const span = ({ min, max }: Shape): string =>
  min > HALF ? `${hex(min)} to ${hex(max)}` : `${min} to ${max}`;
const of = (part: number, whole: number): string => (part === whole ? `all ${whole}` : `${part} of ${whole}`);

/** Writable mappings by address, for many look-ups. */
const writable = (ranges: readonly MappedRange[]): MappedRange[] =>
  ranges.filter(({ permissions }) => permissions[1] === 'w').sort((a, b) => (a.start < b.start ? -1 : 1));

const rangeOf = (sorted: readonly MappedRange[], value: bigint): MappedRange | undefined => {
  // Snapshots of different times overlap, so the nearest start below is not the only candidate; there are few.
  for (let i = lastStartAt(sorted, value); i >= 0 && i > lastStartAt(sorted, value) - 16; i--) {
    const range = sorted[i];
    if (range !== undefined && value < range.end) return range;
  }
  return undefined;
};

const lastStartAt = (sorted: readonly MappedRange[], value: bigint): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.start ?? 0n) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

interface Hits {
  readonly count: number;
  readonly aligned: number;
  readonly places: readonly string[];
}

const pointerHits = (firsts: readonly FirstMint[], ranges: readonly MappedRange[]): Hits => {
  const sorted = writable(ranges);
  const places = new Map<string, number>();
  let [count, aligned] = [0, 0];
  for (const { value, ino } of firsts) {
    // Large inode numbers can lie where a program's data does.
    if (value < LOWEST_ADDRESS || (value === ino && value < HALF)) continue;
    const range = rangeOf(sorted, value);
    if (range === undefined) continue;
    count++;
    if (value % ALIGNMENT === 0n) aligned++;
    const place = range.path === '' ? 'anonymous memory' : range.path;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  return { count, aligned, places: [...places].sort((a, b) => b[1] - a[1]).map(([place]) => place) };
};

type Conclusion = { readonly kind: IdKind; readonly because: string } | undefined;

const asPointer = (hits: Hits, shape: Shape): Conclusion => {
  if (hits.count === 0 || hits.count < shape.distinct / 2 || hits.aligned < hits.count * MOSTLY)
    return undefined;
  const where = hits.places.slice(0, 2).join(' and ');
  return {
    kind: 'pointer',
    because: `${of(hits.count, shape.distinct)} lie in writable memory of the server (${where}), aligned`,
  };
};

const asInode = (shape: Shape): Conclusion =>
  shape.withIno > 0 && shape.equalIno === shape.withIno
    ? { kind: 'inode', because: `${of(shape.equalIno, shape.withIno)} equal attr.ino` }
    : undefined;

/**
 * A library of paths counts nodes from 2 and copies the number to st_ino when its file system gives none (libfuse's
 * high level without use_ino). File systems number new files in order too, so only those found count as evidence, and a
 * number that comes back for its file after it was forgotten is none of a counter.
 */
const asCopiedCounter = (shape: Shape, tally: IdTally): Conclusion => {
  const isCopied = shape.equalIno === shape.distinct && shape.isConsecutive && shape.min === FIRST_COUNTED;
  if (!isCopied || shape.found < FEWEST_IN_STEP || tally.returned > 0) return undefined;
  return { kind: 'counter', because: `${span(shape)} without a gap in order of lookup; attr.ino is a copy` };
};

const asConstant = (shape: Shape, tally: IdTally): Conclusion => {
  if (shape.distinct !== 1) return undefined;
  if (tally.shared === 0 && (shape.max !== 0n || tally.mints < 2)) return undefined;
  return { kind: 'constant', because: `${tally.mints} times ${shape.max}` };
};

const isDense = (shape: Shape, live: number): boolean =>
  shape.max - shape.min <= 4n * BigInt(live) + SPARSE && shape.max < HALF;

const asDescriptor = (shape: Shape, tally: IdTally): Conclusion => {
  const isLow = shape.min >= FIRST_FREE_FD && shape.max < MOST_FDS && isDense(shape, tally.peakLive);
  const isReused = tally.reused > 0 || (shape.distinct === 1 && tally.mints === 1 && shape.max < SPARSE);
  if (!isLow || !isReused) return undefined;
  return {
    kind: 'fd',
    because: `from ${shape.min} to ${shape.max}, and the lowest that is free is used again, as descriptors are`,
  };
};

const asCounter = (shape: Shape, tally: IdTally): Conclusion => {
  if (shape.distinct < 2 || tally.reused > 0 || shape.ascending < MOSTLY) return undefined;
  // Counters start low: numbers that high and near each other are addresses.
  if (shape.min >= HALF || shape.max - shape.min > SPARSE * BigInt(shape.distinct)) return undefined;
  return {
    kind: 'counter',
    because: `each is larger than those before (${span(shape)}), none is used again`,
  };
};

const asIndex = (shape: Shape, tally: IdTally): Conclusion => {
  if (!isDense(shape, tally.peakLive) || (shape.distinct < 2 && tally.reused === 0)) return undefined;
  const again = tally.reused > 0 ? `, ${tally.reused} used again after they were given back` : '';
  return { kind: 'index', because: `${span(shape)} for up to ${tally.peakLive} at once${again}` };
};

const halves = [
  { name: 'the low 32 bits', take: (value: bigint) => value % HALF },
  { name: 'the high 32 bits', take: (value: bigint) => value / HALF },
] as const;

/** Two numbers in one, such as an inode number and a generation. */
const asPacked = (tally: IdTally): Conclusion => {
  for (const { name, take } of halves) {
    const firsts = tally.firsts.map(({ value, ino, isNew }) => ({
      value: take(value),
      ino: ino && ino % HALF,
      isNew,
    }));
    const shape = shapeOf(firsts);
    const inside = shape && new Set(firsts.map(({ value }) => value)).size > 1 ? shape : undefined;
    const isGapless = inside !== undefined && inside.max - inside.min <= 4n * BigInt(inside.distinct);
    const found = inside && (asInode(inside) ?? (isGapless ? asCounter(inside, tally) : undefined));
    if (found !== undefined) return { kind: found.kind, because: `in ${name}: ${found.because}` };
  }
  return undefined;
};

const asOpaque = (shape: Shape, isMapped: boolean): Conclusion => {
  const isAddressLike = shape.min > HALF && shape.max < USER_SPACE;
  const hint = isAddressLike && !isMapped ? '; they look like addresses, but nobody read the memory map' : '';
  return { kind: 'opaque', because: `no pattern in ${shape.distinct} from ${span(shape)}${hint}` };
};

const none: IdClass = { count: 0, kind: 'opaque', pointers: 0, evidence: ['none was seen'] };

/** What the ids of one kind in one incarnation are. */
export const classifyIds = ({ what, tally, ranges }: IdObservation): IdClass => {
  const shape = shapeOf(tally.firsts);
  if (shape === undefined) return none;
  const hits = pointerHits(tally.firsts, ranges);
  const conclusion =
    asPointer(hits, shape) ??
    (what === 'node' ? (asCopiedCounter(shape, tally) ?? asInode(shape)) : undefined) ??
    asConstant(shape, tally) ??
    (what === 'handle' ? asDescriptor(shape, tally) : undefined) ??
    asCounter(shape, tally) ??
    asIndex(shape, tally) ??
    asPacked(tally) ??
    asOpaque(shape, ranges.length > 0);
  const evidence = conclusion === undefined ? [] : [conclusion.because];
  if (hits.count > 0 && conclusion?.kind !== 'pointer')
    evidence.push(`${hits.count} of ${shape.distinct} lie in writable memory of the server`);
  return { count: shape.distinct, kind: conclusion?.kind ?? 'opaque', pointers: hits.count, evidence };
};

/** Numbers that a later incarnation gave again: as many, and for how many of them another inode. */
export const repeatedIds = (before: IdTally, after: IdTally): { repeated: number; other: number } => {
  let [repeated, other] = [0, 0];
  const earlier = new Set(before.firsts.map(({ value }) => value));
  for (const { value, ino } of after.firsts) {
    if (!earlier.has(value)) continue;
    repeated++;
    const was = before.inoOf(value);
    if (ino !== undefined && was !== undefined && ino !== was) other++;
  }
  return { repeated, other };
};
