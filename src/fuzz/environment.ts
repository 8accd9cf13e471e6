/** The world in which a life of the server is tried: what a restart may change without anybody touching an id. */

import type { Relookup } from '../replay/inspector.js';
import type { WhileDownChange } from '../replay/while-down.js';

/** How one life differs from the one before it. */
export interface Environment {
  readonly aslr: 'on' | 'off';
  /** Value of MALLOC_PERTURB_, which makes freed memory look otherwise; absent to leave it alone. */
  readonly mallocPerturb: number | undefined;
  /** What this life has looked up and opened before the cases come. */
  readonly relookup: Relookup;
  /** What happens to the store between the lives. */
  readonly whileDown: WhileDownChange | undefined;
  /** Minor that INIT offers to this life; absent for the one of the first life. */
  readonly minor: number | undefined;
  /** INIT flags that are not offered to this life although they were to the first. */
  readonly withoutFlags: bigint;
}

/** A restart that changes nothing but the process. */
export const plainEnvironment: Environment = {
  aslr: 'on',
  mallocPerturb: undefined,
  relookup: 'shuffled+open',
  whileDown: undefined,
  minor: undefined,
  withoutFlags: 0n,
};
