/** What a replay came to: plain data for reports. */

import type { StrategyName } from '../kernel/strategies/strategy.js';
import type { Tally } from '../kernel/tally.js';
import type { Divergence } from '../oracle/compare.js';
import type { Judgement, Verdict } from '../oracle/verdict.js';
import type { ProcessExit } from '../transport/subreaper.js';
import type { PaceError } from './pace.js';

/** A server that ended or fell silent although no stale id was in its hands. */
export interface Failure {
  readonly step: number;
  readonly op: string;
  readonly text: string;
}

/** One restart. */
export interface RestartReport {
  /** Steps before it. */
  readonly at: number;
  readonly tally: Tally | undefined;
  /** From the start of the new process until the strategy was done, in milliseconds. */
  readonly elapsedMs: number;
  /** What was done to the store in between. */
  readonly changes: readonly string[];
}

/** A replay's result. */
export interface ReplayResult {
  readonly outcome: 'same' | 'diverged' | 'unsafe';
  readonly strategy: StrategyName;
  readonly aslr: 'on' | 'off';
  readonly requests: number;
  readonly matched: number;
  readonly diverged: readonly Divergence[];
  readonly failures: readonly Failure[];
  /** Every judgement about stale ids, in the order they were made. */
  readonly judgements: readonly Judgement[];
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  readonly restarts: readonly RestartReport[];
  readonly exits: readonly ProcessExit[];
  readonly messages: number;
  readonly elapsedMs: number;
  readonly paceError: PaceError | undefined;
  readonly seed: number;
  /** Things that the reader should know, such as why it ended early. */
  readonly notes: readonly string[];
}
