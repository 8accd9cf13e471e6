/** What a campaign has come to: counts and what was seen, over all its sessions. */

import type { Verdict } from '../oracle/verdict.js';
import type { Observation } from './ground.js';

/** All of it as plain data, to go on with later. */
export interface LedgerState {
  readonly cases: number;
  readonly batches: number;
  readonly lives: number;
  readonly restarts: number;
  readonly playedMs: number;
  readonly elapsedMs: number;
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  /** Operation, mutator, relation, verdict, errno and message of everything that was seen. */
  readonly combinations: readonly string[];
  /** Troubles whose guilty case is known. */
  readonly blamed: readonly string[];
}

const beginning: LedgerState = {
  cases: 0,
  batches: 0,
  lives: 0,
  restarts: 0,
  playedMs: 0,
  elapsedMs: 0,
  verdicts: {},
  combinations: [],
  blamed: [],
};

const wordsOf = ({ op, mutator, relation, verdict, errno, signature }: Observation): string =>
  [op, mutator, relation, verdict, errno, signature].join('\t');

/** Counts one campaign. */
export class Ledger {
  cases: number;
  batches: number;
  /** Lives in which batches were played. */
  lives: number;
  /** All lives, those for finding the guilty case among them. */
  restarts: number;
  /** Time in which cases were played, without looking into suspects. */
  playedMs: number;
  readonly #startMs: number;
  readonly #verdicts: Partial<Record<Verdict, number>>;
  readonly #combinations: Set<string>;
  readonly #blamed: Set<string>;
  /** Observations of this session that were turned into words already. */
  readonly #seen = new Set<Observation>();

  constructor(from: LedgerState = beginning) {
    this.cases = from.cases;
    this.batches = from.batches;
    this.lives = from.lives;
    this.restarts = from.restarts;
    this.playedMs = from.playedMs;
    this.#startMs = performance.now() - from.elapsedMs;
    this.#verdicts = { ...from.verdicts };
    this.#combinations = new Set(from.combinations);
    this.#blamed = new Set(from.blamed);
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Number of different combinations. */
  get combinations(): number {
    return this.#combinations.size;
  }

  get verdicts(): Readonly<Partial<Record<Verdict, number>>> {
    return { ...this.#verdicts };
  }

  get state(): LedgerState {
    const { cases, batches, lives, restarts, playedMs, elapsedMs, verdicts } = this;
    return {
      ...{ cases, batches, lives, restarts, playedMs, elapsedMs, verdicts },
      combinations: [...this.#combinations],
      blamed: [...this.#blamed],
    };
  }

  /** Counts what a case came to; true when its combination was not seen before. */
  observe(observation: Observation): boolean {
    const { verdict } = observation;
    this.#verdicts[verdict] = (this.#verdicts[verdict] ?? 0) + 1;
    if (this.#seen.has(observation)) return false;
    this.#seen.add(observation);
    const words = wordsOf(observation);
    const isNew = !this.#combinations.has(words);
    this.#combinations.add(words);
    return isNew;
  }

  isBlamed(trouble: string): boolean {
    return this.#blamed.has(trouble);
  }

  blame(trouble: string): void {
    this.#blamed.add(trouble);
  }
}
