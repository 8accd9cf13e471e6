/** Which step of a plan may be sent next: steps in the recorded order, as far as what they depend on is done. */

/** What a schedule needs of a plan. */
export interface Ordered {
  readonly length: number;
  /** Earlier steps that must be done before a step. */
  after(index: number): readonly number[];
}

/** Steps looked at ahead of the first one that is not done: enough to keep any depth busy, few enough to stay near the record. */
const WINDOW = 4096;

/** A range of steps on its way; what lies before the range counts as done. */
export class Schedule {
  readonly #from: number;
  readonly #to: number;
  /** Dependencies of each step that are not done. */
  readonly #waits: Uint32Array;
  /** Steps that wait for a step: a list for each, in one array. */
  readonly #followers: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #isDone: Uint8Array;
  readonly #ready: number[] = [];
  #firstOpen: number;
  #left: number;

  constructor(plan: Ordered, from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#firstOpen = from;
    this.#left = to - from;
    this.#isDone = new Uint8Array(to - from);
    this.#waits = new Uint32Array(to - from);
    const after = Array.from({ length: to - from }, (_, i) =>
      plan.after(from + i).filter((step) => step >= from),
    );
    this.#starts = new Uint32Array(to - from + 1);
    for (const steps of after) for (const step of steps) this.#bump(step - from + 1);
    for (let i = 1; i < this.#starts.length; i++)
      this.#starts[i] = (this.#starts[i] ?? 0) + (this.#starts[i - 1] ?? 0);
    this.#followers = new Uint32Array(this.#starts.at(-1) ?? 0);
    this.#link(after);
    after.forEach((steps, i) => {
      this.#waits[i] = steps.length;
      if (steps.length === 0) this.#push(from + i);
    });
  }

  /** True when every step of the range is done. */
  get isDone(): boolean {
    return this.#left === 0;
  }

  /** The next step that may be sent, still there when asked again; `undefined` when none is ready. */
  peek(): number | undefined {
    while (this.#ready.length > 0 && this.#isDone[(this.#ready[0] ?? 0) - this.#from] === 1) this.take();
    const next = this.#ready[0];
    return next !== undefined && next < this.#firstOpen + WINDOW ? next : undefined;
  }

  /** Takes the step that `peek` showed. Steps that were done before their turn are never shown. */
  take(): void {
    const last = this.#ready.pop();
    if (last === undefined || this.#ready.length === 0) return;
    this.#ready[0] = last;
    this.#sink(0);
  }

  /** A step was answered, or needs no answer: what waited for it may go. */
  done(step: number): void {
    const i = step - this.#from;
    if (i < 0 || step >= this.#to || this.#isDone[i] === 1) return;
    this.#isDone[i] = 1;
    this.#left--;
    while (this.#firstOpen < this.#to && this.#isDone[this.#firstOpen - this.#from] === 1) this.#firstOpen++;
    for (let at = this.#starts[i] ?? 0; at < (this.#starts[i + 1] ?? 0); at++)
      this.#oneLess(this.#followers[at] ?? 0);
  }

  #oneLess(i: number): void {
    const left = (this.#waits[i] ?? 1) - 1;
    this.#waits[i] = left;
    if (left === 0) this.#push(this.#from + i);
  }

  #bump(i: number): void {
    this.#starts[i] = (this.#starts[i] ?? 0) + 1;
  }

  #link(after: readonly (readonly number[])[]): void {
    const next = this.#starts.slice();
    after.forEach((steps, i) => {
      for (const step of steps) {
        const at = next[step - this.#from] ?? 0;
        this.#followers[at] = i;
        next[step - this.#from] = at + 1;
      }
    });
  }

  // A binary heap of ready steps, the earliest on top.

  #push(step: number): void {
    const heap = this.#ready;
    heap.push(step);
    for (let i = heap.length - 1; i > 0; ) {
      const up = (i - 1) >> 1;
      if (!this.#swapIfLess(i, up)) return;
      i = up;
    }
  }

  #sink(start: number): void {
    for (let i = start; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      const least =
        (this.#ready[right] ?? Number.POSITIVE_INFINITY) < (this.#ready[left] ?? Number.POSITIVE_INFINITY)
          ? right
          : left;
      if (least >= this.#ready.length || !this.#swapIfLess(least, i)) return;
      i = least;
    }
  }

  #swapIfLess(lower: number, upper: number): boolean {
    const [a, b] = [this.#ready[lower] ?? 0, this.#ready[upper] ?? 0];
    if (a >= b) return false;
    this.#ready[lower] = b;
    this.#ready[upper] = a;
    return true;
  }
}
