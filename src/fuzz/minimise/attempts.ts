/** The smallest plan so far, and a purse of attempts to find a smaller one. It does not know what to try. */

import { createHash } from 'node:crypto';
import type { Plan } from '../../plan/plan.js';
import { isLess, type Weight, weigh } from './weight.js';

/** Whether a plan still does what it is kept for. */
export type StillFails = (plan: Plan) => Promise<boolean>;

/** How far minimising has come. */
export interface MinimiseProgress {
  readonly attempts: number;
  /** Most attempts that there will be. */
  readonly budget: number;
  readonly steps: number;
}

/** What attempts are made with. */
export interface AttemptOptions {
  readonly stillFails: StillFails;
  readonly budget: number;
  /** Told after every attempt. */
  readonly onProgress: (progress: MinimiseProgress) => void;
}

/** Equal for plans whose steps are. */
const digestOf = ({ steps }: Plan): string => {
  const hash = createHash('sha256');
  for (const { seq, template, patches } of steps) {
    const ids = patches.map((patch) =>
      patch.kind === 'step' ? `${patch.offset}@${patch.step}` : `${patch.offset}%${patch.symbol}`,
    );
    hash.update(`${seq} ${template.length} ${ids.join(' ')}\n`).update(template);
  }
  return hash.digest('base64');
};

/** Tries plans. Each is tried once, only when it weighs less than the smallest so far, and never more than the budget says. */
export class Attempts {
  readonly #options: AttemptOptions;
  readonly #tried = new Set<string>();
  #plan: Plan;
  #weight: Weight;
  #made = 0;

  constructor(plan: Plan, options: AttemptOptions) {
    this.#plan = plan;
    this.#weight = weigh(plan);
    this.#options = options;
  }

  /** The smallest plan that was seen to fail. */
  get plan(): Plan {
    return this.#plan;
  }

  /** Whether the budget is used up. */
  get areOver(): boolean {
    return this.#made >= this.#options.budget;
  }

  /** Tries a plan; true when it is the smallest now. */
  async take(plan: Plan): Promise<boolean> {
    const weight = weigh(plan);
    if (this.areOver || plan.steps.length === 0 || !isLess(weight, this.#weight)) return false;
    const digest = digestOf(plan);
    if (this.#tried.has(digest)) return false;
    this.#tried.add(digest);
    this.#made++;
    const fails = await this.#options.stillFails(plan);
    if (fails) [this.#plan, this.#weight] = [plan, weight];
    const { budget, onProgress } = this.#options;
    onProgress({ attempts: this.#made, budget, steps: this.#plan.steps.length });
    return fails;
  }
}
