/** Changes to single steps that leave all others as they are, and how to try many of them with few attempts. */

import { withSteps } from '../../plan/edit.js';
import type { Plan, Step } from '../../plan/plan.js';
import { decodeRequest } from '../../protocol/decode.js';
import type { Attempts } from './attempts.js';

/** A change to one step. */
export interface Edit {
  readonly index: number;
  readonly change: (step: Step) => Step;
}

/** The plan with all the edits made, in their order. */
const edited = (plan: Plan, edits: readonly Edit[]): Plan => {
  const changed = new Map<number, Step>();
  for (const { index, change } of edits) {
    const step = changed.get(index) ?? plan.steps.at(index);
    if (step === undefined) continue;
    const other = change(step);
    // A fault of requests that a kernel may send must not turn into one of requests that it never sends.
    if (isWellFormed(other, plan) || !isWellFormed(step, plan)) changed.set(index, other);
  }
  return withSteps(plan, changed.values());
};

const isWellFormed = ({ template }: Step, { negotiated }: Plan): boolean =>
  decodeRequest(template, negotiated).kind === 'request';

/** Tries all the edits at once, and if that is too much each half of them; true when any of them stays. */
export const tryTogether = async (attempts: Attempts, edits: readonly Edit[]): Promise<boolean> => {
  if (edits.length === 0 || attempts.areOver) return false;
  if (await attempts.take(edited(attempts.plan, edits))) return true;
  if (edits.length === 1) return false;
  const middle = edits.length >> 1;
  const first = await tryTogether(attempts, edits.slice(0, middle));
  const second = await tryTogether(attempts, edits.slice(middle));
  return first || second;
};

/** Tries edits one at a time until one of them stays; true when one did. */
export const tryEach = async (attempts: Attempts, edits: readonly Edit[]): Promise<boolean> => {
  for (const edit of edits) if (await attempts.take(edited(attempts.plan, [edit]))) return true;
  return false;
};
