/**
 * Makes a plan that shows a fault small: fewer steps, then simpler values. Whether a plan still shows it is found out by
 * whoever calls; nothing here knows servers, and the same answers give the same plan.
 */

import type { Plan } from '../plan/plan.js';
import { Attempts, type MinimiseProgress, type StillFails } from './minimise/attempts.js';
import { fewerSteps } from './minimise/fewer-steps.js';
import { simplerValues } from './minimise/simpler-values.js';

/** How much minimising may cost. */
export interface MinimiseOptions {
  /** Most plans to try. */
  readonly budget: number;
  /** Told after every attempt. */
  readonly onProgress?: (progress: MinimiseProgress) => void;
}

/**
 * The smallest plan that was found for which `stillFails` holds; the given one, which is taken to fail and not tried, when
 * there is none. It has never more steps or bytes than that. What `stillFails` throws ends it.
 */
export const minimise = async (
  plan: Plan,
  stillFails: StillFails,
  { budget, onProgress = () => undefined }: MinimiseOptions,
): Promise<Plan> => {
  const attempts = new Attempts(plan, { stillFails, budget, onProgress });
  let before: Plan;
  do {
    before = attempts.plan;
    await fewerSteps(attempts);
    await simplerValues(attempts);
  } while (attempts.plan !== before && !attempts.areOver);
  return attempts.plan;
};
