/** Numbers that mean something elsewhere: nothing, the root, the first to be counted, all ones, no address at all. */

import type { Mutator } from '../../mutator.js';
import { type Replaced, replacing } from '../replacing.js';

const ALL_ONES = (1n << 64n) - 1n;

/** What kernels and servers use for "none", and what no table has. */
const special: readonly bigint[] = [0n, ALL_ONES, 0xffff_ffffn, 0x7fff_ffffn, 1n << 32n, 1n << 63n];
/** What a server that starts to count gives first. */
const first: readonly bigint[] = [1n, 2n, 3n, 4n];
/** x86-64 and arm64 have no such user addresses: just above user space, not canonical, kernel half. */
const unmapped: readonly bigint[] = [
  0x8000n,
  0x7fff_ffff_f000n,
  0x8000_0000_0000n,
  0x00ff_ff00_0000_0000n,
  0xffff_8000_0000_0000n,
  0xffff_ffff_8000_0000n,
];

/** Mutators of one kind of id. */
export const constants = (kind: Replaced): Mutator[] => [
  replacing({
    kind,
    name: 'special',
    relation: 'constant',
    weight: 2,
    why: 'numbers for "none" reach a server whose predecessor gave no such id, or gave it as a mark',
    sendable: false,
    replace: ({ rng }) => number(rng.pick(special)),
  }),
  replacing({
    kind,
    name: 'first',
    relation: 'constant',
    weight: 3,
    why: 'the smallest numbers are what the server before gave to the first objects',
    sendable: true,
    replace: ({ rng }) => number(rng.pick(first)),
  }),
  replacing({
    kind,
    name: 'unmapped',
    relation: 'constant',
    weight: 2,
    why: 'a server that takes the number for an address dies at once of one that cannot be mapped',
    sendable: false,
    replace: ({ rng }) => number(rng.pick(unmapped)),
  }),
];

const number = (value: bigint | undefined): { value: bigint } | undefined =>
  value === undefined ? undefined : { value };
