/** File names as bytes, each kept once: a name is a number, so that a million dentries cost no strings. */

import { Column } from './column.js';
import { RowIndex } from './row-index.js';

const FIRST_BYTES = 4096;
const decoder = new TextDecoder();

const hashBytes = (bytes: Uint8Array, start: number, end: number): number => {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ (bytes[i] ?? 0), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
};

/** Interned names; a name is never given back, as programs use the same ones again and again. */
export class Names {
  #bytes = new Uint8Array(FIRST_BYTES);
  #used = 0;
  #count = 0;
  readonly #ends = new Column();
  readonly #index = new RowIndex((name) => hashBytes(this.#bytes, this.#start(name), this.#ends.get(name)));

  /** Different names seen. */
  get size(): number {
    return this.#count;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#bytes.byteLength + this.#ends.bytes + this.#index.bytes;
  }

  /** Number of the name in `bytes[start, end)`; `undefined` when it was never interned. */
  find(bytes: Uint8Array, start = 0, end = bytes.length): number | undefined {
    return this.#search(bytes, start, end, hashBytes(bytes, start, end));
  }

  /** Number of the name in `bytes[start, end)`, without a trailing NUL; the bytes are copied when they are new. */
  intern(bytes: Uint8Array, start = 0, end = bytes.length): number {
    const hash = hashBytes(bytes, start, end);
    const known = this.#search(bytes, start, end, hash);
    if (known !== undefined) return known;
    this.#reserve(end - start);
    this.#bytes.set(bytes.subarray(start, end), this.#used);
    this.#used += end - start;
    this.#ends.set(this.#count, this.#used);
    this.#index.add(this.#count, hash);
    return this.#count++;
  }

  /** Bytes of a name; a view that is valid until the next `intern`. */
  read(name: number): Uint8Array {
    return this.#bytes.subarray(this.#start(name), this.#ends.get(name));
  }

  /** A name as text; bytes that are not UTF-8 become U+FFFD. */
  text(name: number): string {
    return decoder.decode(this.read(name));
  }

  #start(name: number): number {
    return name === 0 ? 0 : this.#ends.get(name - 1);
  }

  #search(bytes: Uint8Array, start: number, end: number, hash: number): number | undefined {
    const index = this.#index;
    for (let place = index.home(hash); ; place = index.after(place)) {
      const name = index.at(place);
      if (name === undefined || this.#equals(name, bytes, start, end)) return name;
    }
  }

  #equals(name: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#start(name);
    if (this.#ends.get(name) - own !== end - start) return false;
    for (let i = start; i < end; i++) if (bytes[i] !== this.#bytes[own + i - start]) return false;
    return true;
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + length));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
