/**
 * Memory for many short-lived byte arrays, taken from large pieces: an array of its own for each would keep the garbage
 * collector busier than all the rest.
 */

const PIECE = 1 << 16;
/** Larger arrays do get memory of their own. */
const LARGEST = PIECE >> 3;

/** Hands out byte arrays. A piece is free again once none of its arrays is in use. */
export class Slab {
  #piece = new Uint8Array(PIECE);
  #used = 0;

  /** An array whose bytes are whatever they were. */
  take(length: number): Uint8Array {
    if (length > LARGEST) return new Uint8Array(length);
    if (this.#used + length > PIECE) {
      this.#piece = new Uint8Array(PIECE);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#piece.subarray(start, this.#used);
  }

  /** A copy. */
  copy(bytes: Uint8Array): Uint8Array {
    const copy = this.take(bytes.length);
    copy.set(bytes);
    return copy;
  }
}
