/**
 * Writes a trace while it is being recorded: synchronous, in bounded memory, and never throwing into the relay once it
 * was created. Runs on the recorder's writer thread; knows nothing of devices and servers.
 */

import { randomBytes } from 'node:crypto';
import { BlockBuilder, type CutFacts } from './block-builder.js';
import { captureFilter } from './capture-filter.js';
import type { CodecName } from './compression.js';
import type {
  EndFacts,
  InitFacts,
  MapsFacts,
  MountFacts,
  StartFacts,
  TraceContext,
  Waiting,
} from './context.js';
import { encodeEnd, encodeInit, encodeMaps, encodeMount, encodeStart } from './context-codec.js';
import type { Filter } from './filter.js';
import { Kind, MAX_BLOCK_FRAMES, MAX_FRAME_BYTES } from './format.js';
import type { Direction, Frame } from './frame.js';
import { InFlight } from './in-flight.js';
import { partPath } from './part-path.js';
import { type ContextRecord, type PartOptions, PartSequence, type StartPosition } from './part-sequence.js';
import { type PayloadCut, type PayloadCutter, payloadCutter } from './payload.js';
import { createSink, fileError, type Sink } from './sink.js';

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
  /** Only frames that pass, or whose reply still might, are written; `context.filter` says it in words. */
  readonly filter?: Filter;
  /** Contents were cut away before the frames came here, as the context says; they are not cut again. */
  readonly isPayloadCut?: boolean;
  /** Where the recording stands when this is not its first part. */
  readonly start?: StartPosition;
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
  /** Frames that the filter left out. */
  readonly skipped: number;
  /** Files begun. */
  readonly parts: number;
  /** Why nothing more is written, such as `ENOSPC: no space left on device`. */
  readonly failure: string | undefined;
}

const BLOCK_BYTES = 256 << 10;
const LEAST_BLOCK_BYTES = 4 << 10;
/** A rotated part holds at least so many blocks. */
const BLOCKS_PER_PART = 8;

const partOptions = (open: (part: number) => Sink, options: WriterOptions): PartOptions => {
  const rotateBytes = options.rotateBytes ?? Number.POSITIVE_INFINITY;
  const wanted = Math.min(options.blockBytes ?? BLOCK_BYTES, Math.floor(rotateBytes / BLOCKS_PER_PART));
  const blockBytes = Math.max(LEAST_BLOCK_BYTES, wanted);
  const { context, traceId = randomBytes(16), start = { part: 0, firstSeq: 0, waiting: [] } } = options;
  return { open, context, traceId, rotateBytes, blockBytes, start };
};

/** A trace being written. */
export class TraceWriter {
  readonly #options: WriterOptions;
  readonly #blockBytes: number;
  readonly #parts: PartSequence;
  readonly #builder: BlockBuilder;
  readonly #inFlight = new InFlight();
  readonly #cut: PayloadCutter;
  readonly #keeps: ((frame: Frame) => boolean) | undefined;
  #lastMaps: Uint8Array = new Uint8Array(0);
  #incarnation = 0;
  #seq = 0;
  #blockSeq = 0;
  #frames = 0;
  #lost = 0;
  #wireBytes = 0;
  #skipped = 0;

  /** Opens the first part; throws what `open` throws, and a system error when not even the header can be written. */
  constructor(open: (part: number) => Sink, options: WriterOptions) {
    const parts = partOptions(open, options);
    this.#options = options;
    this.#blockBytes = parts.blockBytes;
    this.#parts = new PartSequence(parts);
    this.#seq = this.#blockSeq = parts.start.firstSeq;
    for (const waiting of parts.start.waiting) this.#inFlight.add(waiting);
    this.#builder = new BlockBuilder(parts.blockBytes);
    this.#cut = payloadCutter(options.isPayloadCut === true ? { kind: 'full' } : options.context.payload);
    this.#keeps = options.filter && captureFilter(options.filter, options.context.startTimeNs);
  }

  /**
   * Writes down a frame. Its bytes are copied, or written before this returns. `earlier` says that they are only the
   * beginning of the frame: it was cut when it was recorded.
   */
  append(direction: Direction, timeNs: bigint, bytes: Uint8Array, earlier?: CutFacts): void {
    if (!this.#isWanted(direction, timeNs, bytes)) return;
    this.#wireBytes += earlier?.wireLength ?? bytes.length;
    if (!this.#parts.isOpen) {
      this.dropped(1);
      return;
    }
    if (!this.#builder.canHold(timeNs)) this.flush();
    this.#makeRoom();
    const toKernel = direction === 'toKernel';
    const sighting = this.#inFlight.see(toKernel, bytes, this.#seq, timeNs);
    const cut = earlier === undefined ? this.#cutOf(direction, bytes) : { ...earlier, kept: bytes.length };
    const stored = cut === undefined ? bytes : bytes.subarray(0, cut.kept);
    this.#builder.add({ toKernel, timeNs, bytes: stored, cut }, sighting);
    this.#seq++;
    this.#frames++;
    if (this.#isBlockFull()) this.flush();
  }

  /** Says that `count` frames were dropped here, on the way to this writer. */
  dropped(count: number): void {
    if (count <= 0) return;
    this.#makeRoom();
    if (this.#parts.isOpen) this.#builder.lose(count);
    this.#lost += count;
    this.#seq += count;
  }

  /** The server asked for a mount. */
  mount(facts: MountFacts): void {
    this.#context({ kind: Kind.mount, body: encodeMount(facts), incarnation: 0 });
  }

  /** A server process began; the frames that follow belong to it. */
  startIncarnation(facts: StartFacts): void {
    this.flush();
    this.#incarnation = facts.incarnation;
    this.#parts.enter(facts.incarnation);
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
    const builder = this.#builder;
    if (builder.count === 0 && builder.lost === 0) return;
    const codec = this.#options.pressure?.() === true ? 'none' : (this.#options.codec ?? 'brotli');
    const block = builder.take(codec, { firstSeq: this.#blockSeq, incarnation: this.#incarnation });
    this.#blockSeq = this.#seq;
    if (this.#parts.block(block)) return;
    this.#frames -= block.count;
    this.#lost += block.count;
  }

  /** How far the writer is. */
  status(): WriterStatus {
    return {
      frames: this.#frames,
      lost: this.#lost,
      wireBytes: this.#wireBytes,
      fileBytes: this.#parts.bytes,
      skipped: this.#skipped,
      parts: this.#parts.parts,
      failure: this.#parts.failure,
    };
  }

  /** Writes the rest, the index and the end. A second call does nothing. */
  close(): WriterStatus {
    this.flush();
    this.#parts.end();
    return this.status();
  }

  #isWanted(direction: Direction, timeNs: bigint, bytes: Uint8Array): boolean {
    if (this.#keeps === undefined) return true;
    const place = { seq: this.#seq, timeNs, direction, incarnation: this.#incarnation };
    // Requests are kept until they are answered, and the caller's memory is not ours that long.
    const kept = direction === 'toServer' ? bytes.slice() : bytes;
    const isWanted = this.#keeps({ ...place, bytes: kept, length: bytes.length });
    if (!isWanted) this.#skipped++;
    return isWanted;
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

  #context(record: ContextRecord, isLasting = true): void {
    this.flush();
    this.#makeRoom();
    this.#parts.context(record, isLasting);
  }

  /** Begins the next file when this one is full; only between blocks, for it names the requests that wait at its first frame. */
  #makeRoom(): void {
    const { count, lost } = this.#builder;
    if (count > 0 || lost > 0 || !this.#parts.isFull) return;
    this.#parts.rotate({ firstSeq: this.#seq, waiting: this.#inFlight.list() });
  }
}

/**
 * Creates a trace file and its writer. Throws a RelightError when the file cannot be created or not even its header
 * fits; what fails later is in `status().failure`.
 */
export const createTrace = (path: string, options: WriterOptions): TraceWriter => {
  try {
    // A later part that is written anew is the first file of its own.
    const first = options.start?.part ?? 0;
    return new TraceWriter((part) => createSink(partPath(path, part - first)), options);
  } catch (error) {
    throw fileError('write', path, error);
  }
};
