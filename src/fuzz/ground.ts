/**
 * What a campaign needs of a server under test: lives to begin, batches to play, and what came of them. The stage does it
 * with real processes (`stage-ground.ts`).
 */

import type { Judgement, Verdict } from '../oracle/verdict.js';
import type { Case } from './case.js';
import type { Environment } from './environment.js';

/** What a case came to. There is one object for each combination, so that sets of them are sets of what was seen. */
export interface Observation {
  readonly op: string;
  readonly mutator: string;
  readonly relation: string;
  readonly verdict: Verdict;
  /** Positive; 0 for a good reply or none. */
  readonly errno: number;
  /** Of the judgement, or of what the server said. */
  readonly signature: string;
}

/** An unsafe verdict about one case. */
export interface Suspicion {
  /** Index in the batch. */
  readonly index: number;
  readonly judgement: Judgement;
}

/** What befell the server, or objects and ids that no case was about. */
export interface Trouble {
  /** `broken`: the server lives, but ids that it handed out or objects that nobody meant are not what they were. */
  readonly kind: 'ended' | 'hang' | 'broken';
  /** As far as it can be told without knowing which case did it. */
  readonly judgement: Judgement;
  /** Indices of the cases that may have done it, the likeliest first. */
  readonly suspects: readonly number[];
}

/** A batch that was played. */
export interface Played {
  /** By case; `undefined` for those that were not answered because of the trouble. */
  readonly observations: readonly (Observation | undefined)[];
  readonly suspicions: readonly Suspicion[];
  readonly trouble: Trouble | undefined;
}

/** How a life began. */
export type Beginning = { readonly kind: 'up' } | { readonly kind: 'failed'; readonly why: string };

/** What a server holds: bytes of memory that are its own and in core, and open descriptors. */
export interface Holdings {
  readonly memory: number;
  readonly descriptors: number;
}

/** A server under test. */
export interface Ground {
  /** Of the running life, at this moment; absent when there is none, or nobody can tell. */
  readonly holdings: Holdings | undefined;
  /** Ends what runs, puts the store back, and begins a life in which the ids of the first one are stale. */
  begin(environment: Environment): Promise<Beginning>;
  /** Plays cases on the running life and looks at what they did. After trouble the life is over. */
  play(cases: readonly Case[]): Promise<Played>;
}
