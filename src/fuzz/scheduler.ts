/**
 * Which mutator is tried on which operation next: what lately led to something new is preferred, what only kills the server
 * in a way that is known already is rested. It knows neither cases nor servers.
 */

import type { Rng } from '../base/rng.js';
import { WeightedDraw } from './weighted-draw.js';

/** A mutator on an operation; `weight` is the mutator's. */
export interface Arm {
  readonly mutator: string;
  readonly op: string;
  readonly weight: number;
}

/** What a try of an arm came to. */
export type Yield =
  /** A combination of operation, mutator, relation, verdict, errno and message that was not seen before. */
  | 'new'
  | 'known'
  /** The arm had nothing to try with the ids that there are now. */
  | 'nothing'
  /** The server ended, as it did before: the price is a restart. */
  | 'costly';

/** What was learnt of an arm. */
export interface ArmState {
  readonly weight: number;
  /** Tries without news since the weight changed. */
  readonly dull: number;
}

/** News doubles an arm's weight, up to this many times its own. */
const MOST = 16;
/** Dull tries until an arm's weight is cut, and by how much. */
const DULL_TRIES = 64;
const DULL = 0.8;
/** A dull arm keeps this share, so that nothing is given up for good. */
const LEAST = 0.2;
const NOTHING = 0.5;
/** A known death costs a restart, which is worth a thousand other cases. */
const COSTLY = 0.25;
const LEAST_COSTLY = 1 / 512;

/** Chooses arms. Every weight follows from the seed and the yields, so that a campaign can be held again. */
export class Scheduler {
  readonly arms: readonly Arm[];
  readonly #draw: WeightedDraw;
  readonly #dull: Uint16Array;

  /** `known`: what `state` gave earlier for the same arms. */
  constructor(arms: readonly Arm[], known: readonly ArmState[] = []) {
    this.arms = arms;
    this.#draw = new WeightedDraw(arms.map(({ weight }, index) => known[index]?.weight ?? weight));
    this.#dull = Uint16Array.from(arms, (_, index) => known[index]?.dull ?? 0);
  }

  /** Each arm and what was learnt of it, to go on with later. */
  get state(): readonly (Arm & ArmState)[] {
    return this.arms.map((arm, index) => ({
      ...arm,
      weight: this.#draw.weightOf(index),
      dull: this.#dull[index] ?? 0,
    }));
  }

  /** Index of the arm to try; `undefined` when none is left. */
  next(rng: Rng): number | undefined {
    return this.#draw.draw(rng);
  }

  /** Takes what a try came to. */
  saw(index: number, what: Yield): void {
    const base = this.arms[index]?.weight ?? 0;
    const now = this.#draw.weightOf(index);
    if (what === 'new') this.#draw.set(index, Math.min(base * MOST, Math.max(now, base) * 2));
    else if (what === 'nothing') this.#draw.set(index, Math.max(base * LEAST, now * NOTHING));
    else if (what === 'costly') this.#draw.set(index, Math.max(base * LEAST_COSTLY, now * COSTLY));
    else this.#saidNothing(index, base, now);
    if (what === 'new') this.#dull[index] = 0;
  }

  #saidNothing(index: number, base: number, now: number): void {
    const dull = (this.#dull[index] ?? 0) + 1;
    this.#dull[index] = dull % DULL_TRIES;
    if (dull < DULL_TRIES || now <= base * LEAST) return;
    this.#draw.set(index, Math.max(base * LEAST, now * DULL));
  }
}
