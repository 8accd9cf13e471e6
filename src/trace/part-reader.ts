/** Reads one file of a trace: what it says about its recording, its frames from any place on, and what of it is damaged. */

import { type BlockInfo, seqAfter } from './block-head.js';
import { readFrames, splitBlock } from './block-reader.js';
import type { InitFacts, MapsFacts, MountFacts, TraceHeader } from './context.js';
import {
  decodeEnd,
  decodeInit,
  decodeMaps,
  decodeMount,
  decodeStart,
  type RecordedEnd,
  type RecordedStart,
} from './context-codec.js';
import { Kind } from './format.js';
import type { Frame } from './frame.js';
import { readHeader } from './header-reader.js';
import { attempt, type Contents, contentsByIndex, contentsByScan } from './index-reader.js';
import type { Ending } from './part-writer.js';
import { type Damage, recordAt } from './scan.js';
import type { FrameRange, Incarnation, Trace } from './trace.js';
import { TraceFile } from './trace-file.js';

interface Context {
  readonly mounts: MountFacts[];
  readonly incarnations: Map<number, Incarnation>;
}

const overlaps = (block: BlockInfo, range: FrameRange): boolean =>
  (range.fromSeq === undefined || seqAfter(block) > range.fromSeq) &&
  (range.toSeq === undefined || block.firstSeq < range.toSeq) &&
  (range.fromTimeNs === undefined || block.latestTimeNs >= range.fromTimeNs) &&
  (range.toTimeNs === undefined || block.earliestTimeNs < range.toTimeNs) &&
  (range.incarnation === undefined || block.incarnation === range.incarnation) &&
  (range.blocks === undefined || range.blocks(block));

const isWithin = (frame: Frame, range: FrameRange): boolean =>
  (range.fromSeq === undefined || frame.seq >= range.fromSeq) &&
  (range.toSeq === undefined || frame.seq < range.toSeq) &&
  (range.fromTimeNs === undefined || frame.timeNs >= range.fromTimeNs) &&
  (range.toTimeNs === undefined || frame.timeNs < range.toTimeNs) &&
  (range.direction === undefined || frame.direction === range.direction);

const sumOf = (blocks: readonly BlockInfo[], field: 'count' | 'lost'): number =>
  blocks.reduce((sum, block) => sum + block[field], 0);

class PartTrace implements Trace {
  readonly path: string;
  readonly header: TraceHeader;
  readonly mounts: readonly MountFacts[];
  readonly incarnations: readonly Incarnation[];
  readonly blocks: readonly BlockInfo[];
  readonly hasIndex: boolean;
  readonly ending: Ending | undefined;
  readonly frameCount: number;
  readonly dropped: number;
  readonly #file: TraceFile;
  readonly #sync: Uint8Array;
  readonly #contents: Contents;
  readonly #damage: Map<number, Damage>;

  constructor(file: TraceFile) {
    const { header, sync } = readHeader(file);
    const contents = contentsByIndex(file, sync) ?? contentsByScan(file, sync);
    this.#file = file;
    this.#sync = sync;
    this.#contents = contents;
    this.#damage = new Map(contents.damage.map((damage) => [damage.offset, damage]));
    this.path = file.path;
    this.header = header;
    this.blocks = contents.blocks;
    this.hasIndex = contents.hasIndex;
    this.ending = contents.ending;
    this.frameCount = sumOf(contents.blocks, 'count');
    this.dropped = sumOf(contents.blocks, 'lost');
    const { mounts, incarnations } = this.#readContext();
    this.mounts = mounts;
    this.incarnations = [...incarnations.values()].sort((a, b) => a.incarnation - b.incarnation);
  }

  get damage(): readonly Damage[] {
    return [...this.#damage.values()].sort((a, b) => a.offset - b.offset);
  }

  *frames(range: FrameRange = {}): Generator<Frame> {
    for (const block of this.blocks) {
      if (!overlaps(block, range)) continue;
      for (const frame of this.framesOf(block)) if (isWithin(frame, range)) yield frame;
    }
  }

  framesOf(block: BlockInfo): readonly Frame[] {
    const record = recordAt(this.#file, block.offset, this.#sync);
    const stored = record?.kind === Kind.block ? splitBlock(record.body)?.stored : undefined;
    const frames = stored && readFrames(block, stored);
    if (frames !== undefined) return frames;
    const reason = record === undefined ? 'checksum is wrong' : 'a block makes no sense';
    this.#note({ offset: block.offset, bytes: block.length, reason, frames: block.count });
    return [];
  }

  maps(incarnation: number): MapsFacts[] {
    return this.#contents.context
      .filter((place) => place.kind === Kind.maps && place.incarnation === incarnation)
      .map((place) => this.#context(place, decodeMaps))
      .filter((maps) => maps !== undefined);
  }

  get parts(): readonly Trace[] {
    return [this];
  }

  close(): void {
    this.#file.close();
  }

  #note(damage: Damage): void {
    this.#damage.set(damage.offset, damage);
  }

  #context<T>(place: { offset: number; length: number }, decode: (body: Uint8Array) => T): T | undefined {
    const record = recordAt(this.#file, place.offset, this.#sync);
    const value = record && attempt(() => decode(record.body));
    if (value === undefined)
      this.#note({
        offset: place.offset,
        bytes: place.length,
        reason: 'a context record is damaged',
        frames: 0,
      });
    return value;
  }

  #readContext(): Context {
    const context: Context = { mounts: [], incarnations: new Map() };
    const add = (
      value: RecordedStart | InitFacts | RecordedEnd | undefined,
      name: 'start' | 'init' | 'end',
    ) => {
      if (value === undefined) return;
      const { incarnation } = value;
      context.incarnations.set(incarnation, {
        ...(context.incarnations.get(incarnation) ?? { incarnation }),
        [name]: value,
      });
    };
    for (const place of this.#contents.context) {
      if (place.kind === Kind.incarnationStart) add(this.#context(place, decodeStart), 'start');
      if (place.kind === Kind.init) add(this.#context(place, decodeInit), 'init');
      if (place.kind === Kind.incarnationEnd) add(this.#context(place, decodeEnd), 'end');
      const mount = place.kind === Kind.mount ? this.#context(place, decodeMount) : undefined;
      if (mount !== undefined) context.mounts.push(mount);
    }
    return context;
  }
}

/**
 * Opens one file of a trace. A file whose end is missing, or that is damaged, opens with what is intact; `damage` says what is not.
 * Throws a RelightError when it cannot be opened, is no trace, is too new, or has no header left.
 */
export const openPart = (path: string): Trace => {
  const file = new TraceFile(path);
  try {
    return new PartTrace(file);
  } catch (error) {
    file.close();
    throw error;
  }
};
