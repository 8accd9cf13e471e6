/**
 * Raw memory of this process: pages, and numbers read and written at any address without a check. A wrong address ends the
 * process by SIGSEGV, and that is what it is for: specimens whose ids are pointers. Nothing else may use it.
 */

import koffi from 'koffi';
import { personality } from './libc.js';

const library = koffi.load(null);
const mmap = library.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, long)');
const copyOut = library.func('void *memcpy(void *, uintptr_t, size_t)');
const copyIn = library.func('void *memcpy(uintptr_t, const void *, size_t)');

const PROT_READ_WRITE = 3;
/** MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE: pages take no memory until they are touched. */
const MAP_FLAGS = 0x4022;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const ADDR_NO_RANDOMIZE = 0x0040000;
/** Asks without changing anything. */
const QUERY = 0xffffffff;

/** Whether this process's addresses are randomised (personality(2)). */
export const isRandomised = (): boolean => (personality(QUERY) & ADDR_NO_RANDOMIZE) === 0;

/** Maps zeroed memory, at `hint` when that is given and free; its address, or `undefined` when there is none to be had. */
export const mapMemory = (length: number, hint?: bigint): bigint | undefined => {
  const address = BigInt(mmap(hint ?? 0n, length, PROT_READ_WRITE, MAP_FLAGS, -1, 0));
  return address === MAP_FAILED ? undefined : address;
};

/** Memory of this process as little-endian 64-bit numbers. */
export interface RawMemory {
  readU64(address: bigint): bigint;
  writeU64(address: bigint, value: bigint): void;
}

const word = new BigUint64Array(1);

/** Reads and writes at any address; one that is not mapped ends the process by a signal. */
export const rawMemory: RawMemory = {
  readU64: (address) => {
    copyOut(word, address, 8);
    return word[0] ?? 0n;
  },
  writeU64: (address, value) => {
    word[0] = value;
    copyIn(address, word, 8);
  },
};
