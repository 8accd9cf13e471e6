/** Reads a trace, all parts of it when it was rotated. Knows parts as traces, and nothing of files. */

import { RelightError } from '../base/error.js';
import type { BlockInfo } from './block-head.js';
import type { MapsFacts, MountFacts, TraceHeader } from './context.js';
import type { Frame } from './frame.js';
import { partPath } from './part-path.js';
import { openPart } from './part-reader.js';
import type { Ending } from './part-writer.js';
import type { Damage } from './scan.js';
import type { FrameRange, Incarnation, Trace } from './trace.js';

export type { Incarnation, Trace } from './trace.js';

/** Each once: a part repeats what was said before it. */
const once = <T extends { readonly timeNs: bigint }>(facts: readonly T[]): T[] => [
  ...new Map(facts.map((fact) => [fact.timeNs, fact])).values(),
];

const sum = (parts: readonly Trace[], countOf: (part: Trace) => number): number =>
  parts.reduce((total, part) => total + countOf(part), 0);

/** What the parts say about each incarnation together: its end stands in another one than its start. */
const mergedIncarnations = (parts: readonly Trace[]): Incarnation[] => {
  const merged = new Map<number, Incarnation>();
  for (const one of parts.flatMap(({ incarnations }) => incarnations))
    merged.set(one.incarnation, { ...merged.get(one.incarnation), ...one });
  return [...merged.values()].sort((a, b) => a.incarnation - b.incarnation);
};

/** Parts as one trace. */
class PartedTrace implements Trace {
  readonly path: string;
  readonly header: TraceHeader;
  readonly parts: readonly Trace[];
  readonly mounts: readonly MountFacts[];
  readonly incarnations: readonly Incarnation[];
  readonly blocks: readonly BlockInfo[];
  readonly hasIndex: boolean;
  readonly ending: Ending | undefined;
  readonly frameCount: number;
  readonly dropped: number;
  readonly #partOf: ReadonlyMap<BlockInfo, Trace>;

  constructor(first: Trace, others: readonly Trace[]) {
    const parts = [first, ...others];
    this.path = first.path;
    this.header = first.header;
    this.parts = parts;
    this.mounts = once(parts.flatMap(({ mounts }) => mounts));
    this.incarnations = mergedIncarnations(parts);
    this.blocks = parts.flatMap(({ blocks }) => blocks);
    this.hasIndex = parts.every(({ hasIndex }) => hasIndex);
    this.ending = parts.at(-1)?.ending;
    this.frameCount = sum(parts, ({ frameCount }) => frameCount);
    this.dropped = sum(parts, ({ dropped }) => dropped);
    this.#partOf = new Map(parts.flatMap((part) => part.blocks.map((block) => [block, part] as const)));
  }

  get damage(): readonly Damage[] {
    return this.parts.flatMap(({ damage }) => damage);
  }

  *frames(range?: FrameRange): Generator<Frame> {
    for (const part of this.parts) yield* part.frames(range);
  }

  framesOf(block: BlockInfo): readonly Frame[] {
    return this.#partOf.get(block)?.framesOf(block) ?? [];
  }

  maps(incarnation: number): MapsFacts[] {
    return once(this.parts.flatMap((part) => part.maps(incarnation)));
  }

  close(): void {
    for (const part of this.parts) part.close();
  }
}

/** The part that goes on where `before` ends; `undefined` when there is none, or another recording left it there. */
const nextPart = (first: Trace, before: Trace): Trace | undefined => {
  if (before.ending?.continued === false) return undefined;
  const number = before.header.part + 1;
  const next = openIfThere(partPath(first.path, number));
  const { part, traceId } = next?.header ?? {};
  if (part === number && Buffer.compare(traceId ?? Buffer.alloc(0), first.header.traceId) === 0) return next;
  next?.close();
  return undefined;
};

const openIfThere = (path: string): Trace | undefined => {
  try {
    return openPart(path);
  } catch (error) {
    if (error instanceof RelightError) return undefined;
    throw error;
  }
};

/**
 * Opens a trace: given the first part of a rotated one, with all that follow without a gap; given a later part, that part
 * alone. A file whose end is missing, or that is damaged, opens with what is intact; `damage` says what is not. Throws a
 * RelightError when the file cannot be opened, is no trace, is too new, or has no header left.
 */
export const openTrace = (path: string): Trace => {
  const first = openPart(path);
  if (first.header.part !== 0) return first;
  const others: Trace[] = [];
  for (let next = nextPart(first, first); next !== undefined; next = nextPart(first, next)) others.push(next);
  return others.length === 0 ? first : new PartedTrace(first, others);
};
