/** Writes one file of a trace: records, the index of where they are, and the end. Throws what its sink throws. */

import { ByteColumn } from './byte-column.js';
import { Kind, MAGIC } from './format.js';
import { relight } from './generated/schema.js';
import { bytesOf, sealRecord } from './record.js';
import { errorText, type Sink } from './sink.js';
import { countToLong, toLong } from './wire-values.js';

/** An index of this size is written out, so that the memory of a long recording stays bounded. */
export const INDEX_BYTES = 1 << 20;
const indexTags = { previous: 0x09, blocks: 0x12, context: 0x1a } as const;
const entryTags = { offset: 0x08, length: 0x10, head: 0x1a, kind: 0x18, incarnation: 0x20 } as const;

/** How a file ends. */
export interface Ending {
  readonly timeNs: bigint;
  readonly frames: number;
  readonly lost: number;
  /** What stopped the writing; empty when nothing did. */
  readonly failure: string;
  readonly continued: boolean;
  readonly repaired: boolean;
}

/** Body of an End record. */
export const encodeEnding = (ending: Ending): Uint8Array =>
  relight.trace.End.encode({
    timeNs: toLong(ending.timeNs),
    frames: countToLong(ending.frames),
    lost: countToLong(ending.lost),
    failure: ending.failure,
    continued: ending.continued,
    repaired: ending.repaired,
  }).finish();

/** Entries of the index that are not on the disk yet. */
export class IndexBuilder {
  readonly #blocks = new ByteColumn(1 << 12);
  readonly #context = new ByteColumn(1 << 8);
  readonly #entry = new ByteColumn(1 << 10);

  /** Bytes that the index would take. */
  get bytes(): number {
    return this.#blocks.length + this.#context.length;
  }

  /** Adds a block with its encoded head. */
  block(offset: number, length: number, head: Uint8Array): void {
    const entry = this.#begin(offset, length);
    if (head.length > 0) {
      entry.lengthField(entryTags.head, head.length);
      entry.bytes(head);
    }
    this.#end(this.#blocks, indexTags.blocks);
  }

  /** Adds a context record. */
  context(
    offset: number,
    length: number,
    what: { readonly kind: number; readonly incarnation: number },
  ): void {
    const entry = this.#begin(offset, length);
    entry.varintField(entryTags.kind, what.kind);
    entry.varintField(entryTags.incarnation, what.incarnation);
    this.#end(this.#context, indexTags.context);
  }

  /** Body of an Index record that follows the one at `previous`; good until the next entry. */
  body(previous: number): Uint8Array[] {
    const before = new ByteColumn(16);
    if (previous !== 0) {
      before.byte(indexTags.previous);
      before.fixed64(BigInt(previous));
    }
    return [before.written, this.#blocks.written, this.#context.written];
  }

  /** Forgets the entries. */
  clear(): void {
    this.#blocks.clear();
    this.#context.clear();
  }

  #begin(offset: number, length: number): ByteColumn {
    this.#entry.clear();
    this.#entry.varintField(entryTags.offset, offset);
    this.#entry.varintField(entryTags.length, length);
    return this.#entry;
  }

  #end(column: ByteColumn, tag: number): void {
    column.lengthField(tag, this.#entry.length);
    column.bytes(this.#entry.written);
  }
}

/** A file under construction. */
export class PartWriter {
  readonly #sink: Sink;
  readonly #sync: Uint8Array;
  readonly #index = new IndexBuilder();
  #header: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #lastIndex = 0;
  #blocks = 0;

  /** `sync` is the file's 8-byte mark. Nothing is written before `begin`. */
  constructor(sink: Sink, sync: Uint8Array) {
    this.#sink = sink;
    this.#sync = sync;
  }

  /** Bytes of whole records written. */
  get bytes(): number {
    return this.#offset;
  }

  /** Bytes that the end of the file would take now. */
  get endBytes(): number {
    return this.#index.bytes + this.#header.length + 256;
  }

  /** Blocks written. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Magic and header. */
  begin(header: Uint8Array): void {
    this.#header = header;
    const record = sealRecord(this.#sync, Kind.header, [header]);
    this.#sink.write([MAGIC, ...record]);
    this.#offset = MAGIC.length + bytesOf(record);
    this.#index.context(MAGIC.length, bytesOf(record), { kind: Kind.header, incarnation: 0 });
  }

  /** A context record. */
  context(kind: Kind, body: Uint8Array, incarnation: number): void {
    const offset = this.#offset;
    const length = this.#append([sealRecord(this.#sync, kind, [body])]);
    this.#index.context(offset, length, { kind, incarnation });
  }

  /** A block; `head` is its encoded head, `body` the whole. */
  block(head: Uint8Array, body: readonly Uint8Array[]): void {
    const offset = this.#offset;
    const length = this.#append([sealRecord(this.#sync, Kind.block, body)]);
    this.#blocks++;
    this.#index.block(offset, length, head);
    if (this.#index.bytes >= INDEX_BYTES) this.#spill();
  }

  /**
   * Ends and closes the file: header again, index, end and trailer, or as much of it as the disk takes after the last
   * half record was cut away. Never throws; says why the end is incomplete, and how long the file is.
   */
  end(ending: Ending): { failure: string | undefined; bytes: number } {
    const cutBack = () => this.#attempt(() => this.#sink.truncate(this.#offset));
    let failure: string | undefined;
    const short = () => this.#finishShort({ ...ending, failure: failure ?? '' });
    cutBack();
    for (const attempt of [() => this.#finish(ending), short]) {
      const problem = this.#attempt(attempt);
      if (problem === undefined) break;
      cutBack();
      failure ??= ending.failure === '' ? problem : ending.failure;
    }
    this.#attempt(() => this.#sink.close());
    return { failure, bytes: this.#offset };
  }

  #attempt(step: () => void): string | undefined {
    try {
      step();
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }

  #finish(ending: Ending): void {
    const header = sealRecord(this.#sync, Kind.header, [this.#header]);
    const indexAt = this.#offset + bytesOf(header);
    const index = sealRecord(this.#sync, Kind.index, this.#index.body(this.#lastIndex));
    const end = sealRecord(this.#sync, Kind.end, [encodeEnding(ending)]);
    const size = indexAt + bytesOf(index) + bytesOf(end);
    this.#append([header, index, end, sealTrailer(this.#sync, indexAt, size)]);
  }

  /** Only the end record: for a disk with no room for more. */
  #finishShort(ending: Ending): void {
    this.#append([sealRecord(this.#sync, Kind.end, [encodeEnding(ending)])]);
  }

  #spill(): void {
    const offset = this.#offset;
    this.#append([sealRecord(this.#sync, Kind.index, this.#index.body(this.#lastIndex))]);
    this.#lastIndex = offset;
    this.#index.clear();
  }

  #append(records: readonly Uint8Array[][]): number {
    const chunks = records.flat();
    this.#sink.write(chunks);
    const length = bytesOf(chunks);
    this.#offset += length;
    return length;
  }
}

/** A Trailer record: the last Index is at `index`, the trailer itself at `size`. */
export const sealTrailer = (sync: Uint8Array, index: number, size: number): Uint8Array[] => {
  const body = new ByteColumn(18);
  body.byte(0x09);
  body.fixed64(BigInt(index));
  body.byte(0x11);
  body.fixed64(BigInt(size));
  return sealRecord(sync, Kind.trailer, [body.written]);
};
