/** The last lines of a stream that may be endless. */

const MAX_BYTES = 16 << 10;

/** Keeps the end of what was appended, at most 16 KiB. */
export class Tail {
  #bytes: Uint8Array = new Uint8Array(0);
  #isCut = false;

  append(chunk: Uint8Array): void {
    const joined = Buffer.concat([this.#bytes, chunk]);
    this.#isCut ||= joined.length > MAX_BYTES;
    this.#bytes = joined.subarray(Math.max(0, joined.length - MAX_BYTES));
  }

  /** The last lines, without empty ones at the end; a line that was cut at the front is left out. */
  lines(limit = 20): string[] {
    const text = Buffer.from(this.#bytes).toString().trimEnd();
    if (text === '') return [];
    return text
      .split('\n')
      .slice(this.#isCut ? 1 : 0)
      .slice(-limit);
  }
}
