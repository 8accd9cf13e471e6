/** What a mutator is: a way of making a right request wrong. It does no IO, and knows numbers of ids only by their symbols. */

import type { Rng } from '../base/rng.js';
import type { Case, MutatorFamily } from './case.js';
import type { Cast } from './cast.js';
import type { Seed } from './seed.js';

/** A way of making cases. */
export interface Mutator {
  /** Family and what is wrong, such as `nodeid.stale`. */
  readonly name: string;
  readonly family: MutatorFamily;
  /** How often it is tried, in relation to the others: 1 is rare, 10 is what restarts do. */
  readonly weight: number;
  /** What a restarted kernel and server, or who else, make of it: one sentence without a full stop. */
  readonly why: string;
  /** Whether a correct kernel could send this after its server was restarted. */
  readonly sendable: boolean;
  /**
   * A case; the same for the same state of `rng`. Absent when the seed has no such place, or the cast no such id. Byte
   * arrays and patches may be shared with the seed and other cases and must not be written to.
   */
  make(seed: Seed, cast: Cast, rng: Rng): Case | undefined;
}
