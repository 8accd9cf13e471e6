/** Numbers near a right one: servers that count, index or point tell them apart from ids by chance only. */

import type { Shift } from '../../../plan/plan.js';
import { idsOf } from '../../aim.js';
import type { Mutator } from '../../mutator.js';
import { type Replaced, replacing, type Target } from '../replacing.js';

/** Next to it in a count, a table of pointers, a row of small objects, a page. */
const distances: readonly Shift[] = [1n, -1n, 8n, -8n, 16n, -16n, 4096n, -4096n].map((add) => ({
  add: BigInt.asUintN(64, add),
  flip: 0n,
}));
const flips: readonly Shift[] = Array.from({ length: 64 }, (_, bit) => ({
  add: 0n,
  flip: 1n << BigInt(bit),
}));

const rightSymbol = ({ object, life, site }: Target): number | undefined => {
  const { node, handle } = idsOf(object, life);
  return site.use.kind === 'node' ? node : handle;
};

const shifting =
  (shifts: readonly Shift[]) =>
  (target: Target): { symbol: number; shift: Shift } | undefined => {
    const symbol = rightSymbol(target);
    const shift = target.rng.pick(shifts);
    return symbol === undefined || shift === undefined ? undefined : { symbol, shift };
  };

/** Mutators of one kind of id. */
export const nearby = (kind: Replaced): Mutator[] => [
  replacing({
    kind,
    name: 'neighbour',
    relation: 'neighbour',
    weight: 3,
    why: 'a new server that counts otherwise has given the number next to it, or has not given it yet',
    sendable: true,
    replace: shifting(distances),
  }),
  replacing({
    kind,
    name: 'bit-flip',
    relation: 'neighbour',
    weight: 2,
    why: 'ids that carry tags or generations in some bits are told from valid ones by those bits alone',
    sendable: false,
    replace: shifting(flips),
  }),
];
