/** The last lines of a stream that may be endless. */

const MAX_BYTES = 16 << 10;

/** Keeps the end of what was appended, at most 16 KiB. */
export class Tail {
  #bytes: Uint8Array = new Uint8Array(0);

  append(chunk: Uint8Array): void {
    const joined = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = joined.subarray(Math.max(0, joined.length - MAX_BYTES));
  }

  /** The last lines, without empty ones at the end; a line that was cut at the front is left out. */
  lines(limit = 20): string[] {
    const lines = Buffer.from(this.#bytes).toString().trimEnd().split('\n');
    return lines.slice(-limit).filter((line, _i, all) => line !== '' || all.length > 1);
  }
}
