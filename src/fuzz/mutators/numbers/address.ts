/** Addresses in the memory of the server, of this life and of the one before: what an id that is a pointer turns into. */

import type { Mutator } from '../../mutator.js';
import { type Replaced, replacing } from '../replacing.js';

/** Mutators of one kind of id. */
export const addresses = (kind: Replaced): Mutator[] => [
  replacing({
    kind,
    name: 'address',
    relation: 'address',
    weight: 2,
    why: 'an old pointer may point into memory that the new server uses for something else',
    sendable: true,
    replace: ({ cast, rng }) => symbolOf(rng.pick(cast.memory[1])),
  }),
  replacing({
    kind,
    name: 'old-address',
    relation: 'address',
    weight: 2,
    why: 'a pointer of the old server points to where the new one has nothing, or anything',
    sendable: true,
    replace: ({ cast, rng }) => symbolOf(rng.pick(cast.memory[0])),
  }),
];

const symbolOf = (symbol: number | undefined): { symbol: number } | undefined =>
  symbol === undefined ? undefined : { symbol };
