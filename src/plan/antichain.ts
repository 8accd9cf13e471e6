/**
 * For each object the answered steps that nobody has come after yet: its last writers and the readers since, as linked
 * lists in columns. Several writers stand side by side when they were under way together.
 */

import { Column, Rows } from '../kernel/column.js';

/** Lists of steps by object. Links are stored plus one, so that 0 ends a list. */
export class Antichain {
  readonly #rows = new Rows();
  readonly #step = new Column();
  readonly #next = new Column();
  readonly #head = new Column();
  readonly #size = new Column();

  /** Steps listed for an object. */
  sizeOf(object: number): number {
    return this.#size.get(object);
  }

  /** Adds a step, unless it was the last one added. */
  add(object: number, step: number): void {
    const head = this.#head.get(object);
    if (head !== 0 && this.#step.get(head - 1) === step) return;
    const row = this.#rows.take();
    this.#step.set(row, step);
    this.#next.set(row, head);
    this.#head.set(object, row + 1);
    this.#size.set(object, this.#size.get(object) + 1);
  }

  /** Calls back for each step of an object. */
  each(object: number, visit: (step: number) => void): void {
    for (let cell = this.#head.get(object); cell !== 0; cell = this.#next.get(cell - 1))
      visit(this.#step.get(cell - 1));
  }

  /** Takes out the steps of an object for which `isPast` holds. */
  prune(object: number, isPast: (step: number) => boolean): void {
    let kept = 0;
    let size = 0;
    for (let cell = this.#head.get(object); cell !== 0; ) {
      const row = cell - 1;
      cell = this.#next.get(row);
      if (isPast(this.#step.get(row))) {
        this.#rows.give(row);
        continue;
      }
      this.#next.set(row, kept);
      kept = row + 1;
      size++;
    }
    this.#head.set(object, kept);
    this.#size.set(object, size);
  }
}
