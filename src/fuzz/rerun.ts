/** Runs a finding again on fresh servers and counts how often it shows. Where its server comes from is not known here. */

import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import type { Plan } from '../plan/plan.js';
import type { Environment } from './environment.js';
import type { Finding, Reliability } from './finding.js';
import type { MinimiseProgress } from './minimise/attempts.js';
import { minimise } from './minimise.js';
import { signatureOf } from './triage.js';

/** Runs a plan once on fresh servers; a `Trial` does. */
export type RunOnce = (plan: Plan, environment: Environment) => Promise<readonly Judgement[]>;

/** How often to run, and who is told after each run. */
export interface RerunOptions {
  readonly runs: number;
  readonly onRun?: (soFar: Reliability) => void;
}

/** What the runs came to. */
export interface Rerun {
  readonly reliability: Reliability;
  /** What showed the finding last; `undefined` when nothing did. */
  readonly shown: Judgement | undefined;
  /** Every judgement of the last run. */
  readonly last: readonly Judgement[];
  /** Other unsafe signatures, and in how many runs they were seen. */
  readonly others: ReadonlyMap<string, number>;
}

/** Runs a finding's plan again. What `runOnce` throws ends it. */
export const rerun = async (
  { plan, environment, signature }: Pick<Finding, 'plan' | 'environment' | 'signature'>,
  runOnce: RunOnce,
  { runs, onRun = () => undefined }: RerunOptions,
): Promise<Rerun> => {
  const others = new Map<string, number>();
  let [k, shown, last]: [number, Judgement | undefined, readonly Judgement[]] = [0, undefined, []];
  for (let n = 1; n <= runs; n++) {
    last = await runOnce(plan, environment);
    const unsafe = bySignature(last);
    if (unsafe.has(signature)) k++;
    shown = unsafe.get(signature) ?? shown;
    for (const other of unsafe.keys())
      if (other !== signature) others.set(other, (others.get(other) ?? 0) + 1);
    onRun({ k, n });
  }
  return { reliability: { k, n: runs }, shown, last, others };
};

/** How much making a finding smaller may cost. */
export interface SmallerOptions {
  /** Runs of plans that may turn out to be smaller. */
  readonly budget: number;
  /** Runs that tell how reliable a plan is. */
  readonly runs: number;
  readonly onProgress?: (progress: MinimiseProgress) => void;
}

/** What became of a finding that was to be smaller. `gone`: it does not show any more. */
export type Smaller =
  | { readonly kind: 'smaller' | 'minimal'; readonly finding: Finding }
  | { readonly kind: 'gone'; readonly rerun: Rerun };

/**
 * Makes a finding smaller. The one that comes back shows at least as often as that which was given, or is that one with what
 * its reliability is here. What `runOnce` throws ends it.
 */
export const smaller = async (
  finding: Finding,
  runOnce: RunOnce,
  { budget, runs, onProgress }: SmallerOptions,
): Promise<Smaller> => {
  const before = await rerun(finding, runOnce, { runs });
  if (before.shown === undefined) return { kind: 'gone', rerun: before };
  const given = { ...finding, reliability: before.reliability, evidence: before.shown.evidence };
  const shows = async (plan: Plan): Promise<boolean> =>
    bySignature(await runOnce(plan, finding.environment)).has(finding.signature);
  const plan = await minimise(finding.plan, shows, { budget, ...(onProgress && { onProgress }) });
  if (plan === finding.plan) return { kind: 'minimal', finding: given };
  const after = await rerun({ ...finding, plan }, runOnce, { runs });
  if (after.shown === undefined || after.reliability.k < before.reliability.k)
    return { kind: 'minimal', finding: given };
  const { reliability, shown } = after;
  return { kind: 'smaller', finding: { ...finding, plan, reliability, evidence: shown.evidence } };
};

const bySignature = (judgements: readonly Judgement[]): Map<string, Judgement> =>
  new Map(judgements.filter(({ verdict }) => isUnsafe(verdict)).map((one) => [signatureOf(one), one]));
