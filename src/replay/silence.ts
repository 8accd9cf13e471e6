/** What a server that owes a reply did with later requests, as an outcome for the judge. */

import type { Outcome } from '../oracle/probe.js';
import type { Step } from '../plan/plan.js';
import type { Driver } from './driver.js';
import { Inspector } from './inspector.js';
import type { PlanState } from './plan-source.js';

type Silence = Extract<Outcome, { kind: 'silence' }>;

/** Requests that were sent after the silent one and take a reply, by whether they got it. */
export type Later = Silence['later'];

/** Nothing was sent later. */
export const nothingLater: Later = { answered: 0, unanswered: 0 };

/** Counts the steps of a stretch that were sent to the running incarnation after the one with that unique. */
export const laterSteps = (
  { plan, uniques, finished }: PlanState,
  unique: number,
  { from, to }: { readonly from: number; readonly to: number },
): Later => {
  let [answered, unanswered] = [0, 0];
  for (let index = from; index < to; index++) {
    if ((uniques[index] ?? 0) <= unique || !takesReply(plan.steps.at(index))) continue;
    if (finished[index] === 1) answered++;
    else unanswered++;
  }
  return { answered, unanswered };
};

const takesReply = (step: Step | undefined): boolean =>
  step?.answered === true && step.op?.replyRule === 'always';

/** The silence of a running server: one that was sent nothing later is asked for its root. */
export const silenceOf = async (driver: Driver, waitedMs: number, later = nothingLater): Promise<Silence> => {
  if (later.answered + later.unanswered > 0) return { kind: 'silence', waitedMs, later };
  const isAlive = await new Inspector(driver).isAlive();
  const asked = isAlive ? { answered: 1, unanswered: 0 } : { answered: 0, unanswered: 1 };
  return { kind: 'silence', waitedMs, later: asked };
};
