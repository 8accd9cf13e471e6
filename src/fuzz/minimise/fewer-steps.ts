/** Fewer steps: first what the fault relies on by its ids alone, then delta debugging over what is left. */

import type { Plan } from '../../plan/plan.js';
import { keepSteps } from '../../plan/subset.js';
import type { Attempts } from './attempts.js';

/** Takes steps out until none can go any more, or the attempts are over. */
export const fewerSteps = async (attempts: Attempts): Promise<void> => {
  await onlyNeeded(attempts);
  let chunk = Math.ceil(attempts.plan.steps.length / 2);
  while (chunk > 0 && !attempts.areOver) {
    const isSmaller = await withoutChunks(attempts, chunk);
    // With chunks of one step, go on as long as that helps: what is gone may have been what others were needed for.
    if (chunk > 1 || !isSmaller) chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2);
  }
};

/** Tries the last step, then the steps of its life, each with nothing but what mints their ids. */
const onlyNeeded = async (attempts: Attempts): Promise<void> => {
  const { plan } = attempts;
  const last = plan.steps.at(plan.steps.length - 1);
  if (last === undefined) return;
  if (await attempts.take(keepSteps(plan, neededBy(plan, [last.index])))) return;
  const life = [...plan.steps].filter(({ incarnation }) => incarnation === last.incarnation);
  const indexes = life.map(({ index }) => index);
  await attempts.take(keepSteps(plan, neededBy(plan, indexes)));
};

/** The steps and all those before them that mint what they name, or whose unique they have. */
const neededBy = (plan: Plan, wanted: readonly number[]): ReadonlySet<number> => {
  const minters = mintersOf(plan);
  const needed = new Set<number>();
  const left = [...wanted];
  for (let index = left.pop(); index !== undefined; index = left.pop()) {
    if (needed.has(index)) continue;
    needed.add(index);
    for (const patch of plan.steps.at(index)?.patches ?? []) {
      const target = patch.kind === 'step' ? patch.step : minters.get(patch.symbol);
      if (target !== undefined && target < index) left.push(target);
    }
  }
  return needed;
};

/** The step that mints each symbol first. */
const mintersOf = (plan: Plan): ReadonlyMap<number, number> => {
  const minters = new Map<number, number>();
  for (const { index, mints } of plan.steps)
    for (const { symbol } of mints) if (!minters.has(symbol)) minters.set(symbol, index);
  return minters;
};

/** Tries to do without each stretch of so many steps, those that come first before the others; true when one could go. */
const withoutChunks = async (attempts: Attempts, chunk: number): Promise<boolean> => {
  let isSmaller = false;
  for (let from = 0; from < attempts.plan.steps.length && !attempts.areOver; ) {
    const { plan } = attempts;
    const kept = [...plan.steps].flatMap(({ index }) =>
      index < from || index >= from + chunk ? [index] : [],
    );
    // Those behind have moved up into its place, and some before it may be gone too.
    if (await attempts.take(keepSteps(plan, kept))) isSmaller = true;
    else from += chunk;
  }
  return isSmaller;
};
