/**
 * Watches what a server hands out for numbers that look like addresses but lie in no mapping known so far: then it is
 * time to read its memory map again. Works on raw bytes, since it runs for each frame of a recording.
 */

import { NODEID_AT, OUT_HEADER_SIZE } from '../protocol/header.js';

/** No server counts this far; no process has memory below (vm.mmap_min_addr is 64 KiB, programs start far above). */
const LEAST_ADDRESS = 1n << 22n;
/** One past the last address of user space with five page table levels. */
const USER_SPACE_END = 1n << 56n;
/** At most three looks a second. */
const LEAST_INTERVAL_NS = 333_000_000n;
/** A request carries a nodeid in its header (fuse_in_header.nodeid); ids from directory listings are seen there. */
/** A reply's first word is a nodeid or fh (fuse_entry_out, fuse_open_out); longer ones than an entry and an open file are data. */
const LONGEST_MINTING_REPLY = 160;

interface Span {
  readonly start: bigint;
  readonly end: bigint;
}

/** Decides when a look at the server's memory map is due. */
export class PointerWatch {
  #known: readonly Span[] = [];
  #askedNs = 0n;
  /** Numbers that no map explained: asking again would not help. */
  readonly #given = new Set<bigint>();

  /** The memory map as it was just read. */
  explain(ranges: readonly Span[]): void {
    this.#known = ranges;
  }

  /** True when the memory map should be read now. */
  see(toServer: boolean, bytes: Uint8Array, timeNs: bigint): boolean {
    if (timeNs - this.#askedNs < LEAST_INTERVAL_NS) return false;
    const at = toServer ? NODEID_AT : OUT_HEADER_SIZE;
    if (bytes.length < at + 8 || (!toServer && bytes.length > LONGEST_MINTING_REPLY)) return false;
    const word = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
    if (word < LEAST_ADDRESS || word >= USER_SPACE_END || this.#given.has(word)) return false;
    if (this.#known.some(({ start, end }) => word >= start && word < end)) return false;
    this.#given.add(word);
    this.#askedNs = timeNs;
    return true;
  }
}
