/** A growing buffer that is filled with protobuf's primitive values and used again; the hot path of the writer. */

/** Highest value of a varint that is written by bit operations. */
const SMALL = 0x7fffffff;

/** Bytes under construction. Field tags are given as whole bytes (number << 3 | wire type), so numbers up to 15 only. */
export class ByteColumn {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written since `clear`. */
  get length(): number {
    return this.#length;
  }

  /** What was written: a view that is good until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** A base-128 varint of a whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > SMALL) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A zigzag varint (sint64) of a safe whole number up to 2^52 either way. */
  signed(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  /** Little-endian 32 bits. */
  fixed32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** Little-endian 64 bits. */
  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, value, true);
    this.#length += 8;
  }

  /** One byte, such as a tag. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Bytes as they are. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A varint field; not written when 0, as proto3 has it. */
  varintField(tag: number, value: number): void {
    if (value === 0) return;
    this.byte(tag);
    this.varint(value);
  }

  /** Tag and length of a length-delimited field, whose bytes follow. */
  lengthField(tag: number, length: number): void {
    this.byte(tag);
    this.varint(length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.written);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
