/**
 * A heap such as malloc keeps it: records of one size in real memory, the last one freed is the next one used, and a freed
 * record holds the address of the one freed before it. It trusts every address, as malloc does.
 */

import { RelightError } from '../../base/error.js';
import { isRandomised, mapMemory, type RawMemory, rawMemory } from '../../transport/memory.js';

/** Bytes of a record; a node with its attributes takes about as much in a C server. */
export const RECORD_SIZE = 64n;

/** Where the heap lies when addresses are not randomised: the same at every start. */
const FIXED_BASE = 0x7e00_0000_0000n;
const REGION_SIZE = 1 << 26;

/** Memory that a heap is built on: raw access, and more pages when they are needed. */
export interface Pages extends RawMemory {
  /** Address of at least `length` zeroed bytes for the n-th region. */
  map(length: number, nth: number): bigint;
}

/** Real memory of this process, at a base that moves with each start unless address randomisation is off. */
export const processPages: Pages = {
  ...rawMemory,
  map: (length, nth) => {
    const hint = isRandomised() ? undefined : FIXED_BASE + BigInt(nth) * BigInt(length);
    const address = mapMemory(length, hint);
    if (address === undefined)
      throw new RelightError('environment', 'there is no memory for the specimen heap');
    return address;
  },
};

/** Records of `RECORD_SIZE` bytes in raw memory. */
export class Heap implements RawMemory {
  readonly #pages: Pages;
  #regions = 0;
  #top = 0n;
  #end = 0n;
  #freed = 0n;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** Address of a record; what it held before is still in it, except its first word. */
  allocate(): bigint {
    if (this.#freed === 0n) return this.#extend();
    const address = this.#freed;
    this.#freed = this.readU64(address);
    return address;
  }

  /** Puts a record at the head of the free list, whether it was ever allocated or not. */
  free(address: bigint): void {
    this.writeU64(address, this.#freed);
    this.#freed = address;
  }

  readU64(address: bigint): bigint {
    return this.#pages.readU64(address);
  }

  writeU64(address: bigint, value: bigint): void {
    this.#pages.writeU64(address, value);
  }

  #extend(): bigint {
    if (this.#top + RECORD_SIZE > this.#end) {
      this.#top = this.#pages.map(REGION_SIZE, this.#regions++);
      this.#end = this.#top + BigInt(REGION_SIZE);
    }
    const address = this.#top;
    this.#top += RECORD_SIZE;
    return address;
  }
}
