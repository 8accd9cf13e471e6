/** Growing columns of 32-bit numbers and free lists: what millions of nodes cost is what their columns cost. */

const FIRST_CAPACITY = 64;

/** A growing array of u32; a place never written reads 0. */
export class Column {
  #cells = new Uint32Array(FIRST_CAPACITY);

  /** Number at a row; 0 when it was never set. */
  get(row: number): number {
    return this.#cells[row] ?? 0;
  }

  /** Sets a row to a number modulo 2^32; grows by doubling. */
  set(row: number, value: number): void {
    if (row >= this.#cells.length) this.#grow(row);
    this.#cells[row] = value;
  }

  /** Memory that the column holds, in bytes. */
  get bytes(): number {
    return this.#cells.byteLength;
  }

  #grow(row: number): void {
    const cells = new Uint32Array(Math.max(this.#cells.length * 2, row + 1));
    cells.set(this.#cells);
    this.#cells = cells;
  }
}

/** Row numbers handed out from 0 upwards; given back rows are used again first, the last one first. */
export class Rows {
  readonly #next = new Column();
  #freed = 0;
  #top = 0;
  #live = 0;

  /** Rows in use. */
  get live(): number {
    return this.#live;
  }

  /** One more than the highest row ever handed out; rows below may be free. */
  get top(): number {
    return this.#top;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#next.bytes;
  }

  /** A row that nobody holds. */
  take(): number {
    this.#live++;
    if (this.#freed === 0) return this.#top++;
    const row = this.#freed - 1;
    this.#freed = this.#next.get(row);
    return row;
  }

  /** Gives a row back; its columns keep their values until it is taken again. */
  give(row: number): void {
    this.#next.set(row, this.#freed);
    this.#freed = row + 1;
    this.#live--;
  }
}
