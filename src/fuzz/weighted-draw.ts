/** Draws numbered things by weights that change while it goes on: a tree of sums, so that either costs log n. */

import type { Rng } from '../base/rng.js';

/** Steps that a draw distinguishes; weights are taken relative to the sum. */
const RESOLUTION = 0x3fff_ffff;

/** Things from 0 to `size - 1`. */
export class WeightedDraw {
  /** Binary indexed tree of the weights, from 1 on (Fenwick 1994). */
  readonly #sums: Float64Array;
  readonly #weights: Float64Array;

  constructor(weights: readonly number[]) {
    this.#sums = new Float64Array(weights.length + 1);
    this.#weights = new Float64Array(weights.length);
    for (const [index, weight] of weights.entries()) this.set(index, weight);
  }

  get size(): number {
    return this.#weights.length;
  }

  /** Weight of a thing; 0 for one that there is not. */
  weightOf(index: number): number {
    return this.#weights[index] ?? 0;
  }

  /** Gives a thing another weight, 0 or more; with 0 it is never drawn. */
  set(index: number, weight: number): void {
    const more = weight - this.weightOf(index);
    this.#weights[index] = weight;
    for (let at = index + 1; at < this.#sums.length; at += at & -at) this.#sums[at] = this.#sum(at) + more;
  }

  /** Draws one; `undefined` when nothing has a weight. */
  draw(rng: Rng): number | undefined {
    let left = (rng.int(0, RESOLUTION) / (RESOLUTION + 1)) * this.#total();
    let at = 0;
    for (let step = 1 << Math.floor(Math.log2(this.#sums.length)); step > 0; step >>= 1) {
      const next = at + step;
      if (next >= this.#sums.length || this.#sum(next) > left) continue;
      at = next;
      left -= this.#sum(next);
    }
    return this.weightOf(at) > 0 ? at : this.#firstWeighted();
  }

  /** Rounding may lead to a thing without a weight. */
  #firstWeighted(): number | undefined {
    const index = this.#weights.findIndex((weight) => weight > 0);
    return index < 0 ? undefined : index;
  }

  #sum(at: number): number {
    return this.#sums[at] ?? 0;
  }

  #total(): number {
    let total = 0;
    for (let at = this.size; at > 0; at -= at & -at) total += this.#sum(at);
    return total;
  }
}
