/** Findings for other programs, as `fuzz --json`, `audit --json` and `show --json` print them. */

import type { Finding } from '../fuzz/finding.js';

/** A finding without its plan. */
export interface FindingDocument {
  readonly id: string;
  readonly verdict: string;
  readonly op: string;
  readonly idKind: string;
  readonly mutator: string;
  readonly relation: string;
  /** No correct kernel sends the wrong request. */
  readonly hostile: boolean;
  readonly signature: string;
  readonly evidence: readonly string[];
  readonly reliability: { readonly k: number; readonly n: number };
  /** Steps of the minimal plan. */
  readonly steps: number;
  /** Command line that shows it again. */
  readonly repro: string;
  readonly seed: number;
}

/** The document of a finding; `path` is its file. */
export const findingDocument = (finding: Finding, path: string): FindingDocument => {
  const { id, verdict, op, idKind, mutator, relation, signature, evidence, reliability, plan, seed } =
    finding;
  return {
    ...{ id, verdict, op, idKind, mutator, relation, signature, evidence, reliability, seed },
    hostile: finding.isHostile,
    steps: plan.steps.length,
    repro: `relight repro ${path} --recorded`,
  };
};
