/** What a plan says about itself: steps that rely on ids which nobody saw minted, and steps that were never answered. */

import type { PlanSymbol, Sequence, Step } from './plan.js';

/** Steps by whether a path is known for all the ids from before the recording that they rely on. */
export interface EarlierCounts {
  readonly unbound: number;
  readonly byPath: number;
}

/** Counts the steps that rely on ids from before the recording. */
export const countEarlier = (steps: Sequence<Step>, symbols: Sequence<PlanSymbol>): EarlierCounts => {
  const hasPath = pathsOfEarlier(symbols);
  let unbound = 0;
  let byPath = 0;
  if (hasPath.size === 0) return { unbound, byPath };
  for (const { patches } of steps) {
    const known = patches.flatMap((patch) =>
      patch.kind === 'symbol' ? (hasPath.get(patch.symbol) ?? []) : [],
    );
    if (known.includes(false)) unbound++;
    else if (known.length > 0) byPath++;
  }
  return { unbound, byPath };
};

/** Whether each symbol from before the recording has a path. */
const pathsOfEarlier = (symbols: Sequence<PlanSymbol>): ReadonlyMap<number, boolean> => {
  const paths = new Map<number, boolean>();
  for (const { id, origin, path } of symbols) if (origin === 'earlier') paths.set(id, path !== undefined);
  return paths;
};

/** Counts the steps that were due an answer and got none. */
export const countUnanswered = (steps: Sequence<Step>): number => {
  let count = 0;
  for (const { answered, op } of steps) if (!answered && (op?.replyRule ?? 'always') === 'always') count++;
  return count;
};
