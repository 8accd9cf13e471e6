/** Bytes of one file: sparse, and where nobody wrote yet, made up on first use by a source. Knows nothing of inodes. */

const CHUNK = 65536;

/** Makes up the original bytes of a file; must fill all of `target`, which starts at `offset` of the file. */
export type Source = (offset: number, target: Uint8Array) => void;

/** A sparse byte array with 64 KiB granularity: a terabyte of hole costs nothing. */
export class Content {
  #size: number;
  #chunks: Map<number, Uint8Array> | undefined;
  readonly #source: Source | undefined;
  /** Bytes before this offset come from the source unless a chunk says otherwise. */
  #sourced: number;

  /** `size` bytes of the source; without one, of zeroes. */
  constructor(size = 0, source?: Source) {
    this.#size = size;
    this.#source = source;
    this.#sourced = source === undefined ? 0 : size;
  }

  /** Length in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Up to `length` bytes from `offset` (a copy); fewer at the end, none behind it. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.#size);
    const out = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / CHUNK);
      const from = at - index * CHUNK;
      const step = Math.min(CHUNK - from, end - at);
      const chunk = this.#chunk(index);
      if (chunk !== undefined) out.set(chunk.subarray(from, from + step), at - offset);
      at += step;
    }
    return out;
  }

  /** Puts bytes at `offset`, growing the file where needed; no bytes change nothing. */
  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / CHUNK);
      const from = offset + done - index * CHUNK;
      const step = Math.min(CHUNK - from, bytes.length - done);
      this.#room(index, from + step).set(bytes.subarray(done, done + step), from);
      done += step;
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  /** Cuts or extends (with a hole) to `size`. */
  resize(size: number): void {
    if (size < this.#size) this.#cut(size);
    this.#size = size;
  }

  /** Turns a range into zeroes without changing the length; costs as much as there is data in the range. */
  punch(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / CHUNK);
      const from = at - index * CHUNK;
      if (this.#isData(index)) this.#punchChunk(index, from, Math.min(CHUNK - from, end - at));
      const next = this.#nextData(index);
      if (next === undefined) return;
      at = next * CHUNK;
    }
  }

  /** First offset from `offset` on that is data (or a hole); `undefined` when there is none before the end. */
  seek(offset: number, wanted: 'data' | 'hole'): number | undefined {
    if (offset >= this.#size) return undefined;
    const index = Math.floor(offset / CHUNK);
    if (this.#isData(index) === (wanted === 'data')) return offset;
    const found = wanted === 'data' ? this.#nextData(index) : this.#nextHole(index);
    if (found === undefined || found * CHUNK >= this.#size) return wanted === 'data' ? undefined : this.#size;
    return found * CHUNK;
  }

  #nextHole(index: number): number {
    let at = index;
    while (this.#isData(at)) at++;
    return at;
  }

  #nextData(index: number): number | undefined {
    for (let at = index + 1; at * CHUNK < this.#sourced; at++) if (this.#isData(at)) return at;
    const written = [...(this.#chunks?.keys() ?? [])].filter((at) => at > index && this.#isData(at));
    return written.length === 0 ? undefined : written.reduce((a, b) => Math.min(a, b));
  }

  #isData(index: number): boolean {
    const chunk = this.#chunks?.get(index);
    return chunk === undefined ? index * CHUNK < this.#sourced : chunk.length > 0;
  }

  #chunk(index: number): Uint8Array | undefined {
    const known = this.#chunks?.get(index);
    if (known !== undefined || this.#source === undefined || index * CHUNK >= this.#sourced) return known;
    const made = new Uint8Array(Math.min(CHUNK, this.#sourced - index * CHUNK));
    this.#source(index * CHUNK, made);
    this.#put(index, made);
    return made;
  }

  #put(index: number, chunk: Uint8Array): void {
    this.#chunks ??= new Map();
    this.#chunks.set(index, chunk);
  }

  /** The chunk with room for `length` bytes: doubled, so that appending costs no copy each time. */
  #room(index: number, length: number): Uint8Array {
    const chunk = this.#chunk(index);
    if (chunk !== undefined && chunk.length >= length) return chunk;
    const made = new Uint8Array(Math.min(CHUNK, Math.max(length, 2 * (chunk?.length ?? 0))));
    if (chunk !== undefined) made.set(chunk);
    this.#put(index, made);
    return made;
  }

  #cut(size: number): void {
    const last = Math.floor(size / CHUNK);
    for (const index of this.#chunks?.keys() ?? []) if (index > last) this.#chunks?.delete(index);
    this.#chunk(last)?.fill(0, size - last * CHUNK);
    this.#sourced = Math.min(this.#sourced, size);
  }

  #punchChunk(index: number, from: number, length: number): void {
    // An empty chunk, not a missing one: a missing one would come back from the source.
    if (from === 0 && length === CHUNK) this.#put(index, new Uint8Array(0));
    else this.#chunk(index)?.fill(0, from, from + length);
  }
}
