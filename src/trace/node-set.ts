/** Bloom filter of nodeids, so that a reader skips blocks that cannot mention a node. The rule is in proto/trace.proto. */

const HASHES = 4;
const MAX_BITS = 1 << 16;
/** Folding stops when more bits than this would be set: about 1 in 40 absent nodes is then taken for present. */
const MAX_FILL = 0.4;

/** 32-bit finaliser of MurmurHash3. */
const mix = (value: number): number => {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const firstHash = (low: number, high: number): number => mix(low ^ mix((high + 0x9e3779b9) | 0));

const setBits = (bytes: Uint8Array): number => {
  let count = 0;
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
};

const fold = (bytes: Uint8Array): Uint8Array => {
  const half = bytes.length / 2;
  return bytes.subarray(0, half).map((byte, i) => byte | (bytes[half + i] ?? 0));
};

/** A set under construction: nodeids go in as two halves, so that no bigint is made for each frame. */
export class NodeSet {
  readonly #bytes = new Uint8Array(MAX_BITS / 8);
  #isEmpty = true;

  /** Adds a nodeid. */
  add(low: number, high: number): void {
    const a = firstHash(low, high);
    const b = mix(a) | 1;
    this.#isEmpty = false;
    for (let i = 0; i < HASHES; i++) {
      const bit = (a + Math.imul(i, b)) & (MAX_BITS - 1);
      this.#bytes[bit >> 3] = (this.#bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  /** The set as small as it can be, then emptied; no bytes when nothing was added. */
  take(): Uint8Array {
    if (this.#isEmpty) return new Uint8Array(0);
    let set: Uint8Array = this.#bytes.slice();
    while (set.length > 1) {
      const smaller = fold(set);
      if (setBits(smaller) > smaller.length * 8 * MAX_FILL) break;
      set = smaller;
    }
    this.#bytes.fill(0);
    this.#isEmpty = true;
    return set;
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
