/** Which step of a plan may be sent next: steps in the recorded order, as far as what they depend on is done. */

import { Earliest } from './earliest.js';

/** What a schedule needs of a plan. */
export interface Ordered {
  readonly length: number;
  /** Earlier steps that must be done before a step. */
  after(index: number): readonly number[];
}

/** Steps looked at ahead of the first one that is not done: enough to keep any depth busy, few enough to stay near the record. */
const WINDOW = 4096;
/** Place in the window of a step that is looked at; no two of them share one. */
const slotOf = (step: number): number => step % WINDOW;

/** A range of steps on its way; what lies before the range counts as done. */
export class Schedule {
  readonly #plan: Ordered;
  readonly #from: number;
  readonly #to: number;
  readonly #isDone: Uint8Array;
  readonly #ready = new Earliest();
  /**
   * A step waits for one other at a time, and looks for the next one when that is done: so it is in one list only. Of each
   * step the first that waits for it, and of each waiting step the next in the same list; plus one, by place in the window.
   */
  readonly #firstWaiting = new Uint32Array(WINDOW);
  readonly #nextWaiting = new Uint32Array(WINDOW);
  #firstOpen: number;
  /** Steps before this one are looked at. */
  #ahead: number;
  #left: number;

  constructor(plan: Ordered, from: number, to: number) {
    this.#plan = plan;
    this.#from = from;
    this.#to = to;
    this.#firstOpen = from;
    this.#ahead = from;
    this.#left = to - from;
    this.#isDone = new Uint8Array(to - from);
    this.#look();
  }

  /** True when every step of the range is done. */
  get isDone(): boolean {
    return this.#left === 0;
  }

  /** The next step that may be sent, still there when asked again; `undefined` when none is ready. */
  peek(): number | undefined {
    let next = this.#ready.first;
    while (next !== undefined && this.#has(next)) {
      this.take();
      next = this.#ready.first;
    }
    return next;
  }

  /** Takes the step that `peek` showed. Steps that were done before their turn are never shown. */
  take(): void {
    this.#ready.take();
  }

  /** A step was answered, or needs no answer: what waited for it may go. */
  done(step: number): void {
    if (step < this.#from || step >= this.#to || this.#has(step)) return;
    this.#isDone[step - this.#from] = 1;
    this.#left--;
    if (step < this.#ahead) this.#release(slotOf(step));
    while (this.#firstOpen < this.#to && this.#has(this.#firstOpen)) this.#firstOpen++;
    this.#look();
  }

  /** Looks at the steps that came into the window. */
  #look(): void {
    const end = Math.min(this.#to, this.#firstOpen + WINDOW);
    for (; this.#ahead < end; this.#ahead++) this.#place(this.#ahead);
  }

  #release(slot: number): void {
    let waiting = this.#firstWaiting[slot] ?? 0;
    this.#firstWaiting[slot] = 0;
    while (waiting !== 0) {
      const step = waiting - 1;
      waiting = this.#nextWaiting[slotOf(step)] ?? 0;
      this.#place(step);
    }
  }

  /** Lets a step wait for another, or makes it ready when there is none to wait for. */
  #place(step: number): void {
    // The latest first: it is likely to be the last one that is done.
    const before = this.#plan.after(step).findLast((one) => one >= this.#from && !this.#has(one));
    if (before === undefined) {
      this.#ready.add(step);
      return;
    }
    const slot = slotOf(before);
    this.#nextWaiting[slotOf(step)] = this.#firstWaiting[slot] ?? 0;
    this.#firstWaiting[slot] = step + 1;
  }

  #has(step: number): boolean {
    return this.#isDone[step - this.#from] === 1;
  }
}
