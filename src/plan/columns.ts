/** Growing columns for what 32 bits do not hold, and for rows that have several items each. */

import { Column } from '../kernel/column.js';

const FIRST_CAPACITY = 64;

/** A growing array of numbers that are exact up to 2^53; a place never written reads 0. */
export class Wide {
  #cells = new Float64Array(FIRST_CAPACITY);

  get(row: number): number {
    return this.#cells[row] ?? 0;
  }

  /** Grows by doubling. */
  set(row: number, value: number): void {
    if (row >= this.#cells.length) this.#grow(row);
    this.#cells[row] = value;
  }

  #grow(row: number): void {
    const cells = new Float64Array(Math.max(this.#cells.length * 2, row + 1));
    cells.set(this.#cells);
    this.#cells = cells;
  }
}

/** Items of rows, as stretches of one list that other columns hold. The items of a row are added without a break. */
export class Spans {
  readonly #start = new Column();
  readonly #count = new Column();
  #length = 0;

  /** Adds an item to a row and gives its place in the list. */
  extend(row: number): number {
    const count = this.#count.get(row);
    if (count === 0) this.#start.set(row, this.#length);
    this.#count.set(row, count + 1);
    return this.#length++;
  }

  countOf(row: number): number {
    return this.#count.get(row);
  }

  /** Calls back with the place of each item of a row. */
  each(row: number, visit: (at: number) => void): void {
    const count = this.#count.get(row);
    const start = this.#start.get(row);
    for (let at = start; at < start + count; at++) visit(at);
  }

  /** What `make` gives for the place of each item of a row. */
  map<T>(row: number, make: (at: number) => T): T[] {
    const start = this.#start.get(row);
    // Of the right length at once: an empty array that grows begins with room for seventeen.
    const items = new Array<T>(this.#count.get(row));
    for (let nth = 0; nth < items.length; nth++) items[nth] = make(start + nth);
    return items;
  }
}
