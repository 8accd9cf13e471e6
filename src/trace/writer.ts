/**
 * Writes a trace while it is being recorded: synchronous, in bounded memory, and never throwing into the relay once it
 * was created. Runs on the recorder's writer thread; knows nothing of devices and servers.
 */

import { randomBytes } from 'node:crypto';
import { nowNs } from '../base/clock.js';
import { BlockBuilder } from './block-builder.js';
import type { CodecName } from './compression.js';
import type {
  EndFacts,
  InitFacts,
  MapsFacts,
  MountFacts,
  StartFacts,
  TraceContext,
  TraceHeader,
  Waiting,
} from './context.js';
import {
  encodeEnd,
  encodeHeader,
  encodeInit,
  encodeMaps,
  encodeMount,
  encodeStart,
} from './context-codec.js';
import { FORMAT_VERSION, Kind, MAX_BLOCK_FRAMES, MAX_FRAME_BYTES } from './format.js';
import type { Direction } from './frame.js';
import { InFlight } from './in-flight.js';
import { type Ending, PartWriter } from './part-writer.js';
import { type PayloadCut, type PayloadCutter, payloadCutter } from './payload.js';
import { createSink, errorText, fileError, type Sink } from './sink.js';

/** How to write. */
export interface WriterOptions {
  readonly context: TraceContext;
  /** `brotli` unless given; blocks that do not shrink are stored as they are in any case. */
  readonly codec?: CodecName;
  /** Asked before each block: true stores it without compression, because the writer must catch up. */
  readonly pressure?: () => boolean;
  /** Bytes of frames after which a block is written; what is lost at most when the recorder is killed. 256 KiB unless given. */
  readonly blockBytes?: number;
  /** Bytes of a file after which the next one is begun. */
  readonly rotateBytes?: number;
  /** 16 bytes that name the recording; random unless given. */
  readonly traceId?: Uint8Array;
}

/** How far the writer is. */
export interface WriterStatus {
  /** Frames on the disk or in the block that is being filled. */
  readonly frames: number;
  /** Frames that were dropped before they came here, or could not be written. */
  readonly lost: number;
  /** Bytes of the frames as they went over the wire, and of the files. */
  readonly wireBytes: number;
  readonly fileBytes: number;
  /** Files begun. */
  readonly parts: number;
  /** Why nothing more is written, such as `ENOSPC: no space left on device`. */
  readonly failure: string | undefined;
}

const BLOCK_BYTES = 256 << 10;
const LEAST_BLOCK_BYTES = 4 << 10;
/** A rotated part holds at least so many blocks. */
const BLOCKS_PER_PART = 8;

interface Repeated {
  readonly kind: Kind;
  readonly body: Uint8Array;
  readonly incarnation: number;
}

/** Path of a part of a rotated trace: `T`, `T.1`, `T.2` … */
export const partPath = (path: string, part: number): string => (part === 0 ? path : `${path}.${part}`);

/** A trace being written. */
export class TraceWriter {
  readonly #open: (part: number) => Sink;
  readonly #options: WriterOptions;
  readonly #traceId: Uint8Array;
  readonly #blockBytes: number;
  readonly #builder: BlockBuilder;
  readonly #inFlight = new InFlight();
  readonly #cut: PayloadCutter;
  /** Context records of now, which the next part begins with. */
  readonly #repeated = new Map<Kind, Repeated>();
  #part: PartWriter;
  #parts = 0;
  #earlierBytes = 0;
  #rotateDue = false;
  #lastMaps: Uint8Array = new Uint8Array(0);
  #incarnation = 0;
  #seq = 0;
  #blockSeq = 0;
  #frames = 0;
  #partFrames = 0;
  #lost = 0;
  #partLost = 0;
  #wireBytes = 0;
  #failure: string | undefined;
  #closed = false;

  /** Opens the first part; throws what `open` throws, and a system error when not even the header can be written. */
  constructor(open: (part: number) => Sink, options: WriterOptions) {
    this.#open = open;
    this.#options = options;
    this.#traceId = options.traceId ?? randomBytes(16);
    const share = Math.floor((options.rotateBytes ?? Number.POSITIVE_INFINITY) / BLOCKS_PER_PART);
    this.#blockBytes = Math.max(LEAST_BLOCK_BYTES, Math.min(options.blockBytes ?? BLOCK_BYTES, share));
    this.#builder = new BlockBuilder(this.#blockBytes);
    this.#cut = payloadCutter(options.context.payload);
    this.#part = this.#beginPart();
  }

  /** Writes down a frame. Its bytes are copied, or written before this returns. */
  append(direction: Direction, timeNs: bigint, bytes: Uint8Array): void {
    this.#wireBytes += bytes.length;
    if (this.#failure !== undefined || this.#closed) {
      this.dropped(1);
      return;
    }
    if (!this.#builder.canHold(timeNs)) this.#flushBlock();
    if (this.#rotateDue) this.#rotate();
    const toKernel = direction === 'toKernel';
    const sighting = this.#inFlight.see(toKernel, bytes, this.#seq, timeNs);
    const cut = this.#cutOf(direction, bytes);
    const stored = cut === undefined ? bytes : bytes.subarray(0, cut.kept);
    this.#builder.add({ toKernel, timeNs, bytes: stored, cut }, sighting);
    this.#seq++;
    this.#frames++;
    if (this.#isBlockFull()) this.#flushBlock();
  }

  /** Says that `count` frames were dropped here, on the way to this writer. */
  dropped(count: number): void {
    if (count <= 0) return;
    if (this.#failure === undefined && !this.#closed) {
      this.#builder.lose(count);
      this.#partLost += count;
    }
    this.#lost += count;
    this.#seq += count;
  }

  /** The server asked for a mount. */
  mount(facts: MountFacts): void {
    this.#context({ kind: Kind.mount, body: encodeMount(facts), incarnation: 0 });
  }

  /** A server process began; the frames that follow belong to it. */
  startIncarnation(facts: StartFacts): void {
    this.#flushBlock();
    this.#incarnation = facts.incarnation;
    for (const { kind, incarnation } of [...this.#repeated.values()])
      if (kind !== Kind.mount && incarnation !== facts.incarnation) this.#repeated.delete(kind);
    const body = encodeStart({ ...facts, firstSeq: this.#seq });
    this.#context({ kind: Kind.incarnationStart, body, incarnation: facts.incarnation });
  }

  /** The handshake is over. */
  init(facts: InitFacts): void {
    this.#context({ kind: Kind.init, body: encodeInit(facts), incarnation: facts.incarnation });
  }

  /** The server's memory was looked at; when nothing changed since the last time, nothing is written. */
  maps(facts: MapsFacts): void {
    const timeless = encodeMaps({ ...facts, timeNs: 0n });
    if (Buffer.compare(timeless, this.#lastMaps) === 0) return;
    this.#lastMaps = timeless;
    this.#context({ kind: Kind.maps, body: encodeMaps(facts), incarnation: facts.incarnation });
  }

  /** A server process ended; requests without an answer are listed with it. */
  endIncarnation(facts: EndFacts): void {
    this.#flushBlock();
    const body = encodeEnd({ ...facts, inFlight: this.#inFlight.list(), nextSeq: this.#seq });
    this.#context({ kind: Kind.incarnationEnd, body, incarnation: facts.incarnation }, false);
    this.#inFlight.clear();
  }

  /** Requests of this incarnation without an answer, oldest first. */
  inFlight(): Waiting[] {
    return this.#inFlight.list();
  }

  /** Writes out what is held back, so that it survives a kill. */
  flush(): void {
    this.#flushBlock();
  }

  /** How far the writer is. */
  status(): WriterStatus {
    return {
      frames: this.#frames,
      lost: this.#lost,
      wireBytes: this.#wireBytes,
      fileBytes: this.#earlierBytes + this.#part.bytes,
      parts: this.#parts,
      failure: this.#failure,
    };
  }

  /** Writes the rest, the index and the end. A second call does nothing. */
  close(): WriterStatus {
    if (this.#closed) return this.status();
    this.#flushBlock();
    if (this.#failure === undefined) this.#failure = this.#part.end(this.#ending(false)).failure;
    this.#closed = true;
    return this.status();
  }

  #beginPart(): PartWriter {
    const sink = this.#open(this.#parts);
    const part = new PartWriter(sink, randomBytes(8));
    try {
      part.begin(encodeHeader(this.#header()));
      for (const { kind, body, incarnation } of this.#repeated.values())
        part.context(kind, body, incarnation);
    } catch (error) {
      sink.discard();
      throw error;
    }
    this.#parts++;
    this.#part = part;
    return part;
  }

  #header(): TraceHeader {
    return {
      ...this.#options.context,
      formatVersion: FORMAT_VERSION,
      traceId: this.#traceId,
      part: this.#parts,
      firstSeq: this.#blockSeq,
      waiting: this.#inFlight.list(),
    };
  }

  #cutOf(direction: Direction, bytes: Uint8Array): PayloadCut | undefined {
    const cut = this.#cut(direction, bytes);
    if (cut !== undefined || bytes.length <= MAX_FRAME_BYTES) return cut;
    return { kept: MAX_FRAME_BYTES, wireLength: bytes.length };
  }

  #isBlockFull(): boolean {
    const builder = this.#builder;
    return builder.mustTake || builder.dataBytes >= this.#blockBytes || builder.count >= MAX_BLOCK_FRAMES;
  }

  #context(record: Repeated, repeats = true): void {
    this.#flushBlock();
    if (this.#rotateDue) this.#rotate();
    this.#guard(() => this.#part.context(record.kind, record.body, record.incarnation));
    if (repeats) this.#repeated.set(record.kind, record);
  }

  #flushBlock(): void {
    const builder = this.#builder;
    if (builder.count === 0 && builder.lost === 0) return;
    const codec = this.#options.pressure?.() === true ? 'none' : (this.#options.codec ?? 'brotli');
    const block = builder.take(codec, { firstSeq: this.#blockSeq, incarnation: this.#incarnation });
    this.#blockSeq = this.#seq;
    // Counted first: an ending that a failure writes says what is in the file and what is not.
    this.#partLost += block.count;
    if (!this.#guard(() => this.#part.block(block.head, block.body))) {
      this.#frames -= block.count;
      this.#lost += block.count;
      return;
    }
    this.#partLost -= block.count;
    this.#partFrames += block.count;
    const room = (this.#options.rotateBytes ?? Number.POSITIVE_INFINITY) - this.#part.endBytes;
    this.#rotateDue = this.#part.bytes + this.#blockBytes > room;
  }

  #rotate(): void {
    this.#rotateDue = false;
    const full = this.#part;
    // The next file first: when it cannot be made, this one ends with the reason.
    if (!this.#guard(() => this.#beginPart())) return;
    this.#earlierBytes += full.end(this.#ending(true)).bytes;
    this.#partFrames = 0;
    this.#partLost = this.#builder.lost;
  }

  #ending(continued: boolean): Ending {
    return {
      timeNs: nowNs(),
      frames: this.#partFrames,
      lost: this.#partLost,
      failure: this.#failure ?? '',
      continued,
      repaired: false,
    };
  }

  /** Runs a write; when it fails, ends the file as well as can be, and all writing. */
  #guard(write: () => void): boolean {
    if (this.#failure !== undefined || this.#closed) return false;
    try {
      write();
      return true;
    } catch (error) {
      this.#failure = errorText(error);
      this.#part.end(this.#ending(false));
      return false;
    }
  }
}

/**
 * Creates a trace file and its writer. Throws a RelightError when the file cannot be created or not even its header
 * fits; what fails later is in `status().failure`.
 */
export const createTrace = (path: string, options: WriterOptions): TraceWriter => {
  try {
    return new TraceWriter((part) => createSink(partPath(path, part)), options);
  } catch (error) {
    throw fileError('write', path, error);
  }
};
