/** Takes fuzzed bytes apart from the front, so that one input can hold choices as well as what is parsed. */

/** Reads from the front; beyond the end there are zeroes and nothing. */
export class Bytes {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next byte. */
  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** One of some things. */
  oneOf<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.byte() % choices.length] ?? choices[0];
  }

  /** As many bytes as the next two say, little end first. */
  piece(): Uint8Array {
    return this.take(this.byte() | (this.byte() << 8));
  }

  /** The next bytes, at most so many; all that are left by default. A copy. */
  take(length = this.#bytes.length): Uint8Array {
    const piece = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return piece;
  }
}
