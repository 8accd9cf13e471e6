/** All mutators, and which of them have something to try on which operation. */

import { rng } from '../base/rng.js';
import type { Operation } from '../protocol/operations.js';
import type { Cast } from './cast.js';
import type { Mutator } from './mutator.js';
import { counts } from './mutators/count/lookups.js';
import { unannouncedHandle } from './mutators/fh/flag.js';
import { mismatchedHandles } from './mutators/fh/mismatched.js';
import { mismatchedNodes } from './mutators/nodeid/mismatched.js';
import { staleNodes } from './mutators/nodeid/stale.js';
import { addresses } from './mutators/numbers/address.js';
import { constants } from './mutators/numbers/constant.js';
import { nearby } from './mutators/numbers/nearby.js';
import { staleThenLive } from './mutators/sequence/delayed.js';
import { givenBack } from './mutators/sequence/given-back.js';
import { resending } from './mutators/sequence/resent.js';
import { misplaced } from './mutators/sequence/session.js';
import { extensions } from './mutators/size/extension.js';
import { frames } from './mutators/size/frame.js';
import { names } from './mutators/size/name.js';
import { numbers } from './mutators/size/number.js';
import type { Seed } from './seed.js';
import type { Seeds } from './seeds.js';

/** Every mutator, by family. */
export const mutators: readonly Mutator[] = [
  ...staleNodes,
  ...mismatchedNodes,
  ...(['node', 'handle'] as const).flatMap((kind) => [
    ...nearby(kind),
    ...constants(kind),
    ...addresses(kind),
  ]),
  ...mismatchedHandles,
  unannouncedHandle,
  ...counts,
  ...frames,
  ...names,
  ...numbers,
  ...extensions,
  ...resending,
  ...givenBack,
  staleThenLive,
  ...misplaced,
];

/** A mutator on an operation, with the seeds that it can start from. */
export interface Attack {
  readonly mutator: Mutator;
  readonly op: Operation;
  readonly seeds: readonly Seed[];
}

/** Draws until a seed is given up; a replacement that happens to be the right id is none. */
const TRIES = 4;

/** Every pair of a mutator and an operation that yields cases with this cast. */
export const attacksOn = (seeds: Seeds, cast: Cast): Attack[] =>
  mutators.flatMap((mutator) =>
    [...seeds].flatMap(([op, all]) => {
      const usable = all.filter((seed) => yields(mutator, seed, cast));
      return usable.length === 0 ? [] : [{ mutator, op, seeds: usable }];
    }),
  );

const yields = (mutator: Mutator, seed: Seed, cast: Cast): boolean =>
  Array.from({ length: TRIES }, (_, index) => rng(index)).some(
    (draws) => mutator.make(seed, cast, draws) !== undefined,
  );
