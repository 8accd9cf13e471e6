/**
 * The bytes of many frames: small ones as copies in few large buffers, so that a frame of 60 bytes costs 60 bytes and a
 * place; large ones, once there are many, only as numbers of frames that can be read again.
 */

import { Column } from '../kernel/column.js';
import { wireBytes } from '../trace/frame.js';
import { Wide } from './columns.js';

/** A frame to keep. `length` is that on the wire, where `bytes` may lack the end. */
export interface Keepsake {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Where frames that were not copied come from. */
export interface Rereading {
  /** Bytes of all copies together from which on large frames are not copied any more. */
  readonly budget: number;
  readonly bytesOf: (seq: number) => Uint8Array;
}

const CHUNK_BYTES = 1 << 22;
/** Frames up to this size are copied always: reading one again costs more than this memory. */
const SMALL = 1024;
/** In place of a chunk: the frame has to be read again. */
const ELSEWHERE = 0xffff_ffff;

/** Frames by the number in which they were kept. Nothing is given back. */
export class ByteArena {
  readonly #rereading: Rereading | undefined;
  readonly #chunks: Uint8Array[] = [];
  readonly #chunk = new Column();
  readonly #start = new Column();
  readonly #kept = new Column();
  readonly #length = new Column();
  readonly #seq = new Wide();
  #copied = 0;
  #used = CHUNK_BYTES;
  #count = 0;

  constructor(rereading: Rereading | undefined) {
    this.#rereading = rereading;
  }

  /** Keeps a frame and gives its number. */
  keep({ seq, bytes, length }: Keepsake): number {
    const at = this.#count++;
    this.#kept.set(at, bytes.length);
    this.#length.set(at, Math.max(length, bytes.length));
    if (this.#rereading !== undefined && bytes.length > SMALL && this.#copied > this.#rereading.budget) {
      this.#chunk.set(at, ELSEWHERE);
      this.#seq.set(at, seq);
    } else this.#copy(at, bytes);
    return at;
  }

  /** The frame at its length on the wire: a view, or a copy with zeroes where the end was cut away. */
  read(at: number): Uint8Array {
    return wireBytes({ bytes: this.#view(at), length: this.#length.get(at) });
  }

  /** Bytes of the frame that were recorded. */
  keptOf(at: number): number {
    return this.#kept.get(at);
  }

  #view(at: number): Uint8Array {
    const chunk = this.#chunks[this.#chunk.get(at)];
    const start = this.#start.get(at);
    if (chunk !== undefined) return chunk.subarray(start, start + this.#kept.get(at));
    return this.#rereading?.bytesOf(this.#seq.get(at)) ?? new Uint8Array(0);
  }

  #copy(at: number, bytes: Uint8Array): void {
    const chunk = this.#room(bytes.length);
    chunk.set(bytes, this.#used);
    this.#chunk.set(at, this.#chunks.length - 1);
    this.#start.set(at, this.#used);
    this.#used += bytes.length;
    this.#copied += bytes.length;
  }

  /** A chunk with room for so many bytes at `#used`; an array larger than a chunk gets one of its own. */
  #room(bytes: number): Uint8Array {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#used + bytes <= last.length) return last;
    const chunk = new Uint8Array(Math.max(CHUNK_BYTES, bytes));
    this.#chunks.push(chunk);
    this.#used = 0;
    return chunk;
  }
}
