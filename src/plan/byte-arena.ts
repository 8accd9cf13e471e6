/** Copies of many small byte arrays in few large buffers: a frame of 60 bytes costs 60 bytes and a place. */

import { Column } from '../kernel/column.js';

const CHUNK_BYTES = 1 << 22;

/** Byte arrays by the number in which they were kept. Nothing is given back. */
export class ByteArena {
  readonly #chunks: Uint8Array[] = [];
  readonly #chunk = new Column();
  readonly #start = new Column();
  readonly #kept = new Column();
  readonly #length = new Column();
  #used = CHUNK_BYTES;
  #count = 0;

  /** Keeps a copy and gives its number; `length` is that of the array before its end was cut away. */
  keep(bytes: Uint8Array, length = bytes.length): number {
    const chunk = this.#room(bytes.length);
    chunk.set(bytes, this.#used);
    const at = this.#count++;
    this.#chunk.set(at, this.#chunks.length - 1);
    this.#start.set(at, this.#used);
    this.#kept.set(at, bytes.length);
    this.#length.set(at, Math.max(length, bytes.length));
    this.#used += bytes.length;
    return at;
  }

  /** The array at its whole length: a view, or a copy with zeroes where the end was cut away. */
  read(at: number): Uint8Array {
    const kept = this.#kept.get(at);
    const length = this.#length.get(at);
    const view = this.view(at);
    if (kept === length) return view;
    const whole = new Uint8Array(length);
    whole.set(view);
    return whole;
  }

  /** What was kept, as a view. */
  view(at: number): Uint8Array {
    const chunk = this.#chunks[this.#chunk.get(at)];
    const start = this.#start.get(at);
    return chunk === undefined ? new Uint8Array(0) : chunk.subarray(start, start + this.#kept.get(at));
  }

  /** Bytes kept of the array. */
  keptOf(at: number): number {
    return this.#kept.get(at);
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
