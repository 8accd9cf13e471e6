/** Numbers of which the smallest is wanted next: a binary heap. It does not know what they stand for. */

/** A heap with the smallest number on top. */
export class Earliest {
  readonly #heap: number[] = [];

  /** The smallest number; `undefined` when there is none. */
  get first(): number | undefined {
    return this.#heap[0];
  }

  /** Puts a number in. */
  add(value: number): void {
    const heap = this.#heap;
    let at = heap.push(value) - 1;
    for (let up = (at - 1) >> 1; at > 0 && value < (heap[up] ?? value); up = (at - 1) >> 1) {
      heap[at] = heap[up] ?? value;
      at = up;
    }
    heap[at] = value;
  }

  /** Takes the smallest number out. */
  take(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
  }

  /** Moves the hole on top down to where the value belongs. */
  #sink(value: number): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = this.#lesser(1); (heap[child] ?? value) < value; child = this.#lesser(2 * at + 1)) {
      heap[at] = heap[child] ?? value;
      at = child;
    }
    heap[at] = value;
  }

  #lesser(left: number): number {
    const [a, b] = [this.#heap[left], this.#heap[left + 1]];
    return b !== undefined && a !== undefined && b < a ? left + 1 : left;
  }
}
