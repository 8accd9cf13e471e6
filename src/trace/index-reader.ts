/** Where the records of a trace are: from its index when there is one, else by walking all of it. */

import { type BlockInfo, blockInfo, seqAfter } from './block-head.js';
import { splitBlock } from './block-reader.js';
import { Kind, MAGIC, MAX_BLOCK_FRAMES, TRAILER_BYTES } from './format.js';
import { relight } from './generated/schema.js';
import type { Ending } from './part-writer.js';
import { MARK_BYTES, readVarint } from './record.js';
import { type Damage, type FoundRecord, recordAt, scanRecords } from './scan.js';
import type { TraceFile } from './trace-file.js';
import { countFromLong, fromLong } from './wire-values.js';

/** A context record in a file. */
export interface ContextPlace {
  readonly offset: number;
  readonly length: number;
  readonly kind: number;
  readonly incarnation: number;
}

/** Where everything is. */
export interface Contents {
  readonly blocks: readonly BlockInfo[];
  readonly context: readonly ContextPlace[];
  readonly damage: readonly Damage[];
  /** Whether an index said so; else the file was walked. */
  readonly hasIndex: boolean;
  /** How the recording ended; absent when its writer was killed. */
  readonly ending?: Ending;
}

/** Runs a generated decoder, which throws on bytes that are no such message; `undefined` then. */
export const attempt = <T>(decode: () => T): T | undefined => {
  try {
    return decode();
  } catch {
    return undefined;
  }
};

const decodeEnding = (body: Uint8Array): Ending | undefined =>
  attempt(() => {
    const { timeNs, frames, lost, failure, continued, repaired } = relight.trace.End.decode(body);
    const counts = { frames: countFromLong(frames), lost: countFromLong(lost) };
    return { timeNs: fromLong(timeNs), ...counts, failure, continued, repaired };
  });

/** The contents by the index; `undefined` when there is none, or it does not fit the file. */
export const contentsByIndex = (file: TraceFile, sync: Uint8Array): Contents | undefined => {
  const at = file.size - TRAILER_BYTES;
  const trailer = at > 0 ? recordAt(file, at, sync) : undefined;
  if (trailer?.kind !== Kind.trailer || trailer.length !== TRAILER_BYTES) return undefined;
  const message = attempt(() => relight.trace.Trailer.decode(trailer.body));
  if (message === undefined || countFromLong(message.size) !== at) return undefined;
  const segments = segmentsFrom(file, countFromLong(message.index), sync);
  const last = segments?.[0];
  if (segments === undefined || last === undefined) return undefined;
  const end = recordAt(file, last.record.offset + last.record.length, sync);
  const ending = end?.kind === Kind.end ? decodeEnding(end.body) : undefined;
  return ending && merge(segments.reverse(), ending, file);
};

interface Segment {
  readonly record: FoundRecord;
  readonly index: relight.trace.Index;
}

/** Index records, the last first; `undefined` when one is missing. Each must lie before the one that names it. */
const segmentsFrom = (file: TraceFile, last: number, sync: Uint8Array): Segment[] | undefined => {
  const segments: Segment[] = [];
  for (let offset = last, before = file.size; offset !== 0; ) {
    if (offset >= before) return undefined;
    const record = recordAt(file, offset, sync);
    if (record?.kind !== Kind.index) return undefined;
    const index = attempt(() => relight.trace.Index.decode(record.body));
    if (index === undefined) return undefined;
    segments.push({ record, index });
    before = offset;
    offset = countFromLong(index.previous);
  }
  return segments;
};

const place = (entry: relight.trace.BlockEntry.$Properties | relight.trace.ContextEntry.$Properties) => ({
  offset: countFromLong(entry.offset),
  length: entry.length ?? 0,
});

const decodeDamage = (message: relight.trace.Damage.$Properties): Damage => ({
  offset: countFromLong(message.offset),
  bytes: countFromLong(message.bytes),
  reason: message.reason ?? '',
  ...(message.frames == null ? {} : { frames: countFromLong(message.frames) }),
});

const merge = (segments: readonly Segment[], ending: Ending, file: TraceFile): Contents | undefined => {
  const blocks: BlockInfo[] = [];
  const context: ContextPlace[] = [];
  const damage = segments.flatMap(({ index }) => index.damage.map(decodeDamage));
  for (const { index } of segments) {
    for (const entry of index.blocks) {
      const block = blockInfo(entry.head ?? {}, place(entry));
      if (block === undefined) return undefined;
      blocks.push(block);
    }
    for (const entry of index.context)
      context.push({ ...place(entry), kind: entry.kind ?? 0, incarnation: entry.incarnation ?? 0 });
  }
  const isSane = isAscending(blocks, file.size) && isAscending(context, file.size) && isSequential(blocks);
  return isSane ? { blocks, context, damage, hasIndex: true, ending } : undefined;
};

const isAscending = (places: readonly { offset: number; length: number }[], size: number): boolean => {
  let end = MAGIC.length;
  for (const { offset, length } of places) {
    if (offset < end || length === 0) return false;
    end = offset + length;
  }
  return end <= size;
};

const isSequential = (blocks: readonly BlockInfo[]): boolean =>
  blocks.every((block, i) => {
    const before = blocks[i - 1];
    return before === undefined || block.firstSeq >= seqAfter(before);
  });

/** Takes in records one after the other and keeps what makes sense. */
class Walk {
  readonly blocks: BlockInfo[] = [];
  readonly context: ContextPlace[] = [];
  readonly damage: Damage[] = [];
  ending: Ending | undefined;
  #pending: Damage | undefined;

  record(record: FoundRecord): void {
    const { kind, offset, length } = record;
    if (kind === Kind.end) this.ending = decodeEnding(record.body);
    if (kind === Kind.block) this.#block(record);
    if (kind < Kind.header || kind === Kind.block || kind >= Kind.index) return;
    const incarnation = kind === Kind.header || kind === Kind.mount ? 0 : incarnationOf(record.body);
    this.context.push({ offset, length, kind, incarnation });
  }

  /** A damaged stretch; how many frames it held shows at the next block, or else by its own head. */
  damaged(damage: Damage, torn: Uint8Array): void {
    this.#settle(undefined);
    this.#pending = { ...damage, ...claimOf(torn) };
  }

  finish(): void {
    this.#settle(undefined);
  }

  #block(record: FoundRecord): void {
    const { offset, length } = record;
    const head = splitBlock(record.body)?.head;
    const message = head && attempt(() => relight.trace.BlockHead.decode(head));
    const block = message && blockInfo(message, { offset, length });
    const before = this.blocks.at(-1);
    const isInOrder = block !== undefined && (before === undefined || block.firstSeq >= seqAfter(before));
    if (!isInOrder) {
      this.damaged({ offset, bytes: length, reason: 'a block makes no sense' }, new Uint8Array(0));
      return;
    }
    this.#settle(block.firstSeq);
    this.blocks.push(block);
  }

  #settle(nextSeq: number | undefined): void {
    if (this.#pending === undefined) return;
    const before = this.blocks.at(-1);
    const missing = nextSeq === undefined || before === undefined ? undefined : nextSeq - seqAfter(before);
    this.damage.push(missing === undefined ? this.#pending : { ...this.#pending, frames: missing });
    this.#pending = undefined;
  }
}

const incarnationOf = (body: Uint8Array): number =>
  attempt(() => relight.trace.IncarnationStart.decode(body).incarnation) ?? 0;

/** Frames that the head of a torn block claims, where the head itself is all there. */
const claimOf = (torn: Uint8Array): { frames?: number } => {
  const record = readVarint(torn, MARK_BYTES);
  const recordLength = record && readVarint(torn, record.next);
  const field = recordLength && readVarint(torn, recordLength.next);
  const length = field && readVarint(torn, field.next);
  if (record === undefined || record.value >>> 3 !== Kind.block || length === undefined) return {};
  const head = torn.subarray(length.next, length.next + length.value);
  const message = attempt(() => relight.trace.BlockHead.decode(head));
  const isWhole = head.length === length.value && message !== undefined && message.count <= MAX_BLOCK_FRAMES;
  return isWhole ? { frames: message.count } : {};
};

/** The contents by walking the file from its first record on. */
export const contentsByScan = (file: TraceFile, sync: Uint8Array): Contents => {
  const walk = new Walk();
  for (const finding of scanRecords(file, MAGIC.length, sync)) {
    if ('record' in finding) walk.record(finding.record);
    else walk.damaged(finding.damage, finding.torn);
  }
  walk.finish();
  const { blocks, context, damage, ending } = walk;
  return {
    blocks,
    context,
    damage,
    hasIndex: false,
    ...(ending === undefined ? {} : { ending }),
  };
};
