/**
 * Open-addressing hash from a key to rows of a columnar table. It holds row numbers only: keys stay in the table's
 * columns, and several rows may share a key.
 */

const FIRST_CAPACITY = 64;
/** Linear probing stays short up to here, and one row costs at most 4 / 0.35 bytes. */
const MAX_LOAD = 0.7;

/** Mixes the two halves of a u64 into 32 bits; aligned pointers and small counters both spread (murmur3's finaliser). */
export const hashPair = (low: number, high: number): number => {
  let h = low ^ Math.imul(high, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/**
 * Rows found by hash. Search: `for (let p = index.home(hash), row; (row = index.at(p)) !== undefined; p = index.after(p))`
 * and compare keys; the first `undefined` ends the search.
 */
export class RowIndex {
  readonly #hashOf: (row: number) => number;
  #table = new Uint32Array(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  #size = 0;

  /** `hashOf` computes the hash of a row from the table's columns; it must not change while the row is in here. */
  constructor(hashOf: (row: number) => number) {
    this.#hashOf = hashOf;
  }

  /** Rows in the index. */
  get size(): number {
    return this.#size;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  /** Where a search for this hash begins. */
  home(hash: number): number {
    return hash & this.#mask;
  }

  /** Row at a place; `undefined` where the search ends. */
  at(place: number): number | undefined {
    const cell = this.#table[place];
    return cell === undefined || cell === 0 ? undefined : cell - 1;
  }

  /** The place to look at next. */
  after(place: number): number {
    return (place + 1) & this.#mask;
  }

  /** Puts a row in. */
  add(row: number, hash: number): void {
    if (this.#size + 1 > this.#table.length * MAX_LOAD) this.#double();
    this.#place(row, hash);
    this.#size++;
  }

  /** Takes a row out; nothing happens when it is not in. */
  remove(row: number, hash: number): void {
    let place = hash & this.#mask;
    for (; this.#table[place] !== row + 1; place = (place + 1) & this.#mask) {
      if (this.#table[place] === 0) return;
    }
    this.#size--;
    this.#closeGap(place);
  }

  #place(row: number, hash: number): void {
    let place = hash & this.#mask;
    while (this.#table[place] !== 0) place = (place + 1) & this.#mask;
    this.#table[place] = row + 1;
  }

  /** Moves later rows of the run back, so that no tombstones are needed and searches stay short under churn. */
  #closeGap(start: number): void {
    let gap = start;
    for (let place = (gap + 1) & this.#mask; ; place = (place + 1) & this.#mask) {
      const cell = this.#table[place] ?? 0;
      if (cell === 0) break;
      const home = this.#hashOf(cell - 1) & this.#mask;
      if (((place - home) & this.#mask) < ((place - gap) & this.#mask)) continue;
      this.#table[gap] = cell;
      gap = place;
    }
    this.#table[gap] = 0;
  }

  #double(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    this.#mask = this.#table.length - 1;
    for (const cell of old) if (cell !== 0) this.#place(cell - 1, this.#hashOf(cell - 1));
  }
}
