/**
 * Collects frames into a Block, by hand into reused buffers, byte for byte as the generated protobuf code would write it
 * (a test compares). Knows the layout of Frames and BlockHead, and nothing of files.
 */

import { ByteColumn } from './byte-column.js';
import { Codec, type CodecName, compress } from './compression.js';
import type { Sighting } from './in-flight.js';
import { NodeSet } from './node-set.js';
import { bytesOf } from './record.js';

/** Tags of protobuf fields: number << 3 | wire type. */
const frames = { deltaNs: 0x0a, lengthDirection: 0x12, cuts: 0x1a, gaps: 0x22, data: 0x2a } as const;
const cutTags = { frame: 0x08, wireLength: 0x10, digest: 0x1a } as const;
const gapTags = { frame: 0x08, lost: 0x10 } as const;
const headTags = {
  codec: 0x08,
  rawLength: 0x10,
  firstSeq: 0x18,
  count: 0x20,
  lost: 0x28,
  incarnation: 0x30,
  firstTimeNs: 0x39,
  lastTimeNs: 0x41,
  earliestTimeNs: 0x49,
  ops: 0x52,
  nodes: 0x5a,
  oldestRequestSeq: 0x60,
} as const;
const opTags = { op: 0x08, requests: 0x10, replies: 0x18, errors: 0x20 } as const;
const blockTags = { head: 0x0a, stored: 0x12 } as const;

/** How a frame was shortened. */
export interface CutFacts {
  /** Bytes on the wire. */
  readonly wireLength: number;
  readonly digest?: Uint8Array;
}

/** A frame that goes into a block. */
export interface NewFrame {
  readonly toKernel: boolean;
  readonly timeNs: bigint;
  /** Bytes to store. */
  readonly bytes: Uint8Array;
  readonly cut?: CutFacts | undefined;
}

/** A finished block. */
export interface BuiltBlock {
  /** Encoded BlockHead; a copy, for the index. */
  readonly head: Uint8Array;
  /** Body of the record. Views of reused memory: good until the builder is used again. */
  readonly body: readonly Uint8Array[];
  readonly count: number;
  readonly lost: number;
}

interface OpCounts {
  requests: number;
  replies: number;
  errors: number;
}

/** Frames below this are copied into the block; a larger one is written from the caller's memory and ends its block. */
const DIRECT_FROM = 256 << 10;

/** Nanoseconds between two frames of a block, less than: 13 days. */
const MAX_DELTA = 1n << 50n;

/** A block under construction. */
export class BlockBuilder {
  readonly #deltas = new ByteColumn(1 << 14);
  readonly #lengths = new ByteColumn(1 << 14);
  readonly #cuts = new ByteColumn(1 << 10);
  readonly #gaps = new ByteColumn(64);
  readonly #data: ByteColumn;
  readonly #head = new ByteColumn(1 << 10);
  readonly #lead = new ByteColumn(64);
  readonly #scratch = new ByteColumn(64);
  readonly #ops = new Map<number, OpCounts>();
  readonly #nodes = new NodeSet();
  #direct: Uint8Array | undefined;
  #count = 0;
  #lost = 0;
  #firstTime = 0n;
  #lastTime = 0n;
  #earliest = 0n;
  #latest = 0n;
  /** Sequence number of the oldest request that is answered here. */
  #oldest = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    this.#data = new ByteColumn(capacity + DIRECT_FROM);
  }

  /** Frames so far. */
  get count(): number {
    return this.#count;
  }

  /** Frames so far that were lost before they came here. */
  get lost(): number {
    return this.#lost;
  }

  /** Bytes of frames so far. */
  get dataBytes(): number {
    return this.#data.length;
  }

  /** True after a frame whose memory is the caller's: the block has to be taken before the caller goes on. */
  get mustTake(): boolean {
    return this.#direct !== undefined;
  }

  /** Whether a frame of this time can go into this block: the time since the frame before must be a safe number. */
  canHold(timeNs: bigint): boolean {
    const delta = timeNs - this.#lastTime;
    return this.#count === 0 || (delta < MAX_DELTA && delta > -MAX_DELTA);
  }

  /** Adds a frame, with what `InFlight.see` said about it. */
  add(frame: NewFrame, sighting: Readonly<Sighting>): void {
    const { timeNs, bytes } = frame;
    this.#clock(timeNs);
    this.#lengths.varint(bytes.length * 2 + (frame.toKernel ? 1 : 0));
    if (frame.cut !== undefined) this.#cut(frame.cut);
    if (bytes.length < DIRECT_FROM) this.#data.bytes(bytes);
    else this.#direct = bytes;
    this.#summarise(frame.toKernel, sighting);
    this.#count++;
  }

  /** Says that frames were lost here. */
  lose(count: number): void {
    this.#scratch.clear();
    this.#scratch.varintField(gapTags.frame, this.#count);
    this.#scratch.varintField(gapTags.lost, count);
    this.#gaps.lengthField(frames.gaps, this.#scratch.length);
    this.#gaps.bytes(this.#scratch.written);
    this.#lost += count;
  }

  /** Ends the block and makes the builder ready for the next. */
  take(codec: CodecName, place: { readonly firstSeq: number; readonly incarnation: number }): BuiltBlock {
    const raw = this.#rawChunks();
    const rawLength = bytesOf(raw);
    const packed = compress(codec, raw);
    this.#writeHead(packed === undefined ? Codec.none : Codec[codec], rawLength, place);
    const stored = packed === undefined ? raw : [packed];
    const head = this.#head.written.slice();
    const built = { head, body: this.#body(head, stored), count: this.#count, lost: this.#lost };
    this.#reset();
    return built;
  }

  #clock(timeNs: bigint): void {
    if (this.#count === 0) {
      this.#firstTime = this.#earliest = this.#latest = this.#lastTime = timeNs;
    }
    this.#deltas.signed(Number(timeNs - this.#lastTime));
    this.#lastTime = timeNs;
    if (timeNs > this.#latest) this.#latest = timeNs;
    else if (timeNs < this.#earliest) this.#earliest = timeNs;
  }

  #cut(cut: CutFacts): void {
    const scratch = this.#scratch;
    scratch.clear();
    scratch.varintField(cutTags.frame, this.#count);
    scratch.varintField(cutTags.wireLength, cut.wireLength);
    if (cut.digest !== undefined && cut.digest.length > 0) {
      scratch.lengthField(cutTags.digest, cut.digest.length);
      scratch.bytes(cut.digest);
    }
    this.#cuts.lengthField(frames.cuts, scratch.length);
    this.#cuts.bytes(scratch.written);
  }

  #summarise(toKernel: boolean, sighting: Readonly<Sighting>): void {
    let counts = this.#ops.get(sighting.op);
    if (counts === undefined) {
      counts = { requests: 0, replies: 0, errors: 0 };
      this.#ops.set(sighting.op, counts);
    }
    if (toKernel) counts.replies++;
    else counts.requests++;
    if (sighting.isError) counts.errors++;
    if (sighting.requestSeq < this.#oldest) this.#oldest = sighting.requestSeq;
    if (sighting.hasNode) this.#nodes.add(sighting.nodeLow, sighting.nodeHigh);
  }

  /** The Frames message. */
  #rawChunks(): Uint8Array[] {
    const lead = this.#lead;
    lead.clear();
    const parts: Uint8Array[] = [];
    const field = (tag: number, column: Uint8Array, length = column.length): void => {
      const from = lead.length;
      lead.lengthField(tag, length);
      parts.push(lead.written.subarray(from), column);
    };
    if (this.#count > 0) {
      field(frames.deltaNs, this.#deltas.written);
      field(frames.lengthDirection, this.#lengths.written);
    }
    if (this.#cuts.length > 0) parts.push(this.#cuts.written);
    if (this.#gaps.length > 0) parts.push(this.#gaps.written);
    const dataLength = this.#data.length + (this.#direct?.length ?? 0);
    if (dataLength > 0) field(frames.data, this.#data.written, dataLength);
    if (this.#direct !== undefined) parts.push(this.#direct);
    return parts;
  }

  #writeHead(codec: number, rawLength: number, place: { firstSeq: number; incarnation: number }): void {
    const head = this.#head;
    head.clear();
    head.varintField(headTags.codec, codec);
    head.varintField(headTags.rawLength, rawLength);
    head.varintField(headTags.firstSeq, place.firstSeq);
    head.varintField(headTags.count, this.#count);
    head.varintField(headTags.lost, this.#lost);
    head.varintField(headTags.incarnation, place.incarnation);
    if (this.#firstTime !== 0n) this.#time(headTags.firstTimeNs, this.#firstTime);
    if (this.#latest !== 0n) this.#time(headTags.lastTimeNs, this.#latest);
    if (this.#earliest !== this.#firstTime) this.#time(headTags.earliestTimeNs, this.#earliest);
    for (const [op, counts] of [...this.#ops].sort(([a], [b]) => a - b)) this.#opCount(op, counts);
    const nodes = this.#nodes.take();
    if (nodes.length > 0) {
      head.lengthField(headTags.nodes, nodes.length);
      head.bytes(nodes);
    }
    if (this.#oldest >= place.firstSeq) return;
    head.byte(headTags.oldestRequestSeq);
    head.varint(this.#oldest);
  }

  #time(tag: number, timeNs: bigint): void {
    this.#head.byte(tag);
    this.#head.fixed64(timeNs);
  }

  #opCount(op: number, counts: OpCounts): void {
    const scratch = this.#scratch;
    scratch.clear();
    scratch.varintField(opTags.op, op);
    scratch.varintField(opTags.requests, counts.requests);
    scratch.varintField(opTags.replies, counts.replies);
    scratch.varintField(opTags.errors, counts.errors);
    this.#head.lengthField(headTags.ops, scratch.length);
    this.#head.bytes(scratch.written);
  }

  #body(head: Uint8Array, stored: readonly Uint8Array[]): Uint8Array[] {
    const before = new ByteColumn(16);
    before.lengthField(blockTags.head, head.length);
    const between = new ByteColumn(16);
    between.lengthField(blockTags.stored, bytesOf(stored));
    return [before.written, head, between.written, ...stored];
  }

  #reset(): void {
    for (const column of [this.#deltas, this.#lengths, this.#cuts, this.#gaps, this.#data]) column.clear();
    this.#ops.clear();
    this.#direct = undefined;
    this.#count = 0;
    this.#lost = 0;
    this.#oldest = Number.POSITIVE_INFINITY;
    this.#firstTime = this.#lastTime = this.#earliest = this.#latest = 0n;
  }
}
