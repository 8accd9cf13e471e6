/** What all replays of an audit came to: the worst verdict by strategy and operation, and each unsafe judgement once. Pure. */

import type { StrategyName } from '../kernel/strategies/strategy.js';
import { isUnsafe, type Judgement, type Verdict } from '../oracle/verdict.js';
import type { ReplayOptions } from '../replay/options.js';
import type { ReplayResult } from '../replay/result.js';
import { type Matrix, worse } from './grade.js';
import { signatureOf } from './triage.js';

/** One replay of an audit. */
export interface AuditRun extends Pick<ReplayOptions, 'relookup' | 'whileDown'> {
  readonly result: ReplayResult;
}

/** An unsafe judgement, and the first replay that came to it. */
export interface Sighted {
  readonly signature: string;
  readonly judgement: Judgement;
  readonly run: AuditRun;
  /** Judgements with this signature in all replays. */
  readonly count: number;
}

/** The worst verdict of each operation under each strategy. */
export const matrixOf = (runs: readonly AuditRun[]): Matrix => {
  const matrix = new Map<StrategyName, Map<string, Verdict>>();
  for (const { result } of runs) {
    const ops = matrix.get(result.strategy) ?? new Map<string, Verdict>();
    matrix.set(result.strategy, ops);
    for (const { op, verdict } of result.judgements) {
      const known = ops.get(op);
      ops.set(op, known === undefined ? verdict : worse(known, verdict));
    }
  }
  return matrix;
};

/** The unsafe judgements by signature, in the order in which they were first seen. */
export const sightedIn = (runs: readonly AuditRun[]): Sighted[] => {
  const seen = new Map<string, Sighted>();
  for (const run of runs)
    for (const judgement of run.result.judgements) {
      if (!isUnsafe(judgement.verdict)) continue;
      const signature = signatureOf(judgement);
      const first = seen.get(signature) ?? { signature, judgement, run, count: 0 };
      seen.set(signature, { ...first, count: first.count + 1 });
    }
  return [...seen.values()];
};
