/**
 * The files of one recording: one after the other when it is rotated, each complete in itself, and the end of all writing
 * when one of them fails. Knows records, and nothing of frames.
 */

import { randomBytes } from 'node:crypto';
import { nowNs } from '../base/clock.js';
import type { BuiltBlock } from './block-builder.js';
import type { TraceContext, Waiting } from './context.js';
import { encodeHeader } from './context-codec.js';
import { FORMAT_VERSION, Kind } from './format.js';
import { type Ending, PartWriter } from './part-writer.js';
import { errorText, type Sink } from './sink.js';

/** A context record. */
export interface ContextRecord {
  readonly kind: Kind;
  readonly body: Uint8Array;
  readonly incarnation: number;
}

/** Where the recording stands when a file begins. */
export interface Position {
  readonly firstSeq: number;
  /** Requests without an answer. */
  readonly waiting: readonly Waiting[];
}

/** Where a recording stands that goes on with its n-th part. */
export interface StartPosition extends Position {
  readonly part: number;
}

/** What all files have in common. */
export interface PartOptions {
  readonly open: (part: number) => Sink;
  readonly context: TraceContext;
  readonly traceId: Uint8Array;
  /** Bytes after which the next file begins; infinite for one file. */
  readonly rotateBytes: number;
  /** Bytes that a block may take, more or less. */
  readonly blockBytes: number;
  readonly start: StartPosition;
}

/** Files being written. */
export class PartSequence {
  readonly #options: PartOptions;
  /** Context records of now, which the next file begins with. */
  readonly #repeated = new Map<Kind, ContextRecord>();
  #part: PartWriter;
  #parts = 0;
  #earlierBytes = 0;
  #frames = 0;
  #lost = 0;
  #failure: string | undefined;
  #isEnded = false;

  /** Opens the first file; throws what `open` throws, and a system error when not even the header can be written. */
  constructor(options: PartOptions) {
    this.#options = options;
    this.#part = this.#begin(options.start);
  }

  /** Files begun. */
  get parts(): number {
    return this.#parts;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#earlierBytes + this.#part.bytes;
  }

  /** What stopped the writing. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether records are still taken. */
  get isOpen(): boolean {
    return this.#failure === undefined && !this.#isEnded;
  }

  /** Whether the next file should begin before anything else is written. */
  get isFull(): boolean {
    const room = this.#options.rotateBytes - this.#part.endBytes - this.#part.bytes;
    return this.#part.blocks > 0 && room < this.#options.blockBytes;
  }

  /** Writes a context record; those that hold until they are replaced are repeated in the files to come. */
  context(record: ContextRecord, isLasting: boolean): void {
    this.#guard(() => this.#part.context(record.kind, record.body, record.incarnation));
    if (isLasting) this.#repeated.set(record.kind, record);
  }

  /** Forgets what was said about incarnations before this one. */
  enter(incarnation: number): void {
    for (const [kind, record] of this.#repeated)
      if (kind !== Kind.mount && record.incarnation !== incarnation) this.#repeated.delete(kind);
  }

  /** Writes a block; false when its frames are lost. */
  block(block: BuiltBlock): boolean {
    // Counted first: the ending that a failure writes says what is in the file and what is not.
    this.#lost += block.lost + block.count;
    if (!this.#guard(() => this.#part.block(block.head, block.body))) return false;
    this.#lost -= block.count;
    this.#frames += block.count;
    return true;
  }

  /** Ends the file and begins the next. */
  rotate(position: Position): void {
    const full = this.#part;
    // The next file first: when it cannot be made, this one ends with the reason.
    if (!this.#guard(() => this.#begin(position))) return;
    this.#earlierBytes += full.end(this.#ending(true)).bytes;
    this.#frames = 0;
    this.#lost = 0;
  }

  /** Writes the end; a second call does nothing. */
  end(): void {
    if (!this.isOpen) return;
    this.#failure = this.#part.end(this.#ending(false)).failure;
    this.#isEnded = true;
  }

  #begin(position: Position): PartWriter {
    const { open, context, traceId } = this.#options;
    const number = this.#options.start.part + this.#parts;
    const sink = open(number);
    const part = new PartWriter(sink, randomBytes(8));
    const { firstSeq, waiting } = position;
    const place = { formatVersion: FORMAT_VERSION, traceId, part: number, firstSeq, waiting };
    try {
      part.begin(encodeHeader({ ...context, ...place }));
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

  #ending(continued: boolean): Ending {
    const counts = { frames: this.#frames, lost: this.#lost };
    return { timeNs: nowNs(), ...counts, failure: this.#failure ?? '', continued, repaired: false };
  }

  /** Runs a write; when it fails, ends the file as well as can be, and all writing. */
  #guard(write: () => void): boolean {
    if (!this.isOpen) return false;
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
