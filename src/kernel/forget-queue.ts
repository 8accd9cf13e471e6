/** Lookups to give back, first in first out, until they are put into FORGET and BATCH_FORGET messages. */

import { Column } from './column.js';

/** What one FORGET says. */
export interface Forget {
  readonly low: number;
  readonly high: number;
  readonly nlookup: number;
}

/** The kernel's list of forgets (`fuse_iqueue.forget_list`). */
export class ForgetQueue {
  readonly #low = new Column();
  readonly #high = new Column();
  readonly #nlookup = new Column();
  #head = 0;
  #tail = 0;

  /** Forgets waiting. */
  get size(): number {
    return this.#tail - this.#head;
  }

  /** Queues a forget (`fuse_queue_forget`). */
  push(low: number, high: number, nlookup: number): void {
    this.#low.set(this.#tail, low);
    this.#high.set(this.#tail, high);
    this.#nlookup.set(this.#tail, nlookup);
    this.#tail++;
  }

  /** The next forget; `undefined` when none waits. */
  shift(): Forget | undefined {
    if (this.#head === this.#tail) return undefined;
    const at = this.#head++;
    const forget = { low: this.#low.get(at), high: this.#high.get(at), nlookup: this.#nlookup.get(at) };
    if (this.#head === this.#tail) this.clear();
    return forget;
  }

  /** Drops all that wait. */
  clear(): void {
    this.#head = 0;
    this.#tail = 0;
  }
}
