/** Bloom filter of nodeids, so that a reader skips blocks that cannot mention a node. The rule is in proto/trace.proto. */

const HASHES = 4;
/** Bits for each nodeid, at least: about 1 in 40 absent nodes is then taken for present. */
const BITS_PER_NODE = 8;
/** Different nodeids that are kept apart; a block of more has a set that excludes none. */
const MAX_NODES = 1 << 14;
/** Twice as many slots, so that looking one up takes few steps. */
const SLOTS = MAX_NODES * 2;

/** 32-bit finaliser of MurmurHash3. */
const mix = (value: number): number => {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const firstHash = (low: number, high: number): number => mix(low ^ mix((high + 0x9e3779b9) | 0));

/** A set under construction: nodeids go in as two halves, so that no bigint is made for each frame. */
export class NodeSet {
  /** First hashes of the nodeids so far; all else follows from them. */
  readonly #hashes = new Uint32Array(MAX_NODES);
  /** Where each is found again: a position in `#hashes` plus 1, 0 for none. */
  readonly #slots = new Uint16Array(SLOTS);
  #count = 0;
  #isOverfull = false;

  /** Adds a nodeid. */
  add(low: number, high: number): void {
    const hash = firstHash(low, high);
    const slot = this.#slotOf(hash);
    if (this.#slots[slot] !== 0) return;
    if (this.#count === MAX_NODES) {
      this.#isOverfull = true;
      return;
    }
    this.#hashes[this.#count++] = hash;
    this.#slots[slot] = this.#count;
  }

  /** The set as small as it can be, then emptied; no bytes when nothing was added. */
  take(): Uint8Array {
    const set = this.#isOverfull ? Uint8Array.of(0xff) : this.#filter();
    for (let i = this.#count - 1; i >= 0; i--) this.#slots[this.#slotOf(this.#hashes[i] ?? 0)] = 0;
    this.#count = 0;
    this.#isOverfull = false;
    return set;
  }

  #filter(): Uint8Array {
    if (this.#count === 0) return new Uint8Array(0);
    const bits = Math.max(8, 2 ** Math.ceil(Math.log2(this.#count * BITS_PER_NODE)));
    const set = new Uint8Array(bits / 8);
    for (let i = 0; i < this.#count; i++) {
      const a = this.#hashes[i] ?? 0;
      const b = mix(a) | 1;
      for (let k = 0; k < HASHES; k++) {
        const bit = (a + Math.imul(k, b)) & (bits - 1);
        set[bit >> 3] = (set[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
    }
    return set;
  }

  /** The slot that holds a hash, or the free one where it belongs. */
  #slotOf(hash: number): number {
    let slot = hash & (SLOTS - 1);
    while (this.#slots[slot] !== 0 && this.#hashes[(this.#slots[slot] ?? 0) - 1] !== hash)
      slot = (slot + 1) & (SLOTS - 1);
    return slot;
  }
}

/** False when the nodeid is certainly not in the set. A set of a size that no writer makes says true. */
export const mayContain = (set: Uint8Array, nodeid: bigint): boolean => {
  if (set.length === 0) return false;
  const bits = set.length * 8;
  if ((bits & (bits - 1)) !== 0 || bits > 1 << 30) return true;
  const a = firstHash(Number(nodeid & 0xffffffffn) | 0, Number(nodeid >> 32n) | 0);
  const b = mix(a) | 1;
  for (let i = 0; i < HASHES; i++) {
    const bit = (a + Math.imul(i, b)) & (bits - 1);
    if (((set[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
};
