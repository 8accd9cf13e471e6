/** A frame that is being written: bytes that grow as needed and are zero where nothing was put. */

// Most frames fit: an entry reply with a handle has 160 bytes.
const FIRST_CAPACITY = 256;

/** Bytes under construction. */
export class Sink {
  bytes = new Uint8Array(FIRST_CAPACITY);
  view = new DataView(this.bytes.buffer);
  /** Bytes written so far. */
  length = 0;

  /** Makes `size` zero bytes at the end and gives the offset of the first. */
  reserve(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.bytes.length) this.#grow();
    return at;
  }

  /** Appends bytes. */
  put(bytes: Uint8Array): void {
    // Reserved first: growing replaces the array.
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** What was written; the sink must not be used after. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
