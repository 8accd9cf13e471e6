/** Counts of lookups that a FORGET gives back, and counts of items that do not agree with the items. */

import type { Rng } from '../../../base/rng.js';
import type { Operation } from '../../../protocol/operations.js';
import type { Mutator } from '../../mutator.js';
import { type RequestField, requestFields } from '../../request-fields.js';
import type { Seed } from '../../seed.js';
import { editing, withNumberAt } from '../editing.js';

const ALL_ONES = (1n << 64n) - 1n;

/** Writes a count in the place of one of those that the seed has. */
const withLookups = ({ bytes, sites }: Seed, rng: Rng, counts: readonly bigint[]): Uint8Array | undefined => {
  const offset = rng.pick(sites.filter(({ countAt }) => countAt !== undefined))?.countAt;
  const count = rng.pick(counts);
  if (offset === undefined || count === undefined) return undefined;
  return withNumberAt(bytes, { offset, size: 8 }, count);
};

/** The field that tells how many items follow. */
const itemCount = (op: Operation, fields: readonly RequestField[]): RequestField | undefined => {
  const list = op.request.find((part) => part.kind === 'list');
  return list && fields.find(({ name }) => name === list.count[0]);
};

const withItems =
  (counts: readonly bigint[]) =>
  ({ op, bytes }: Seed, { negotiated }: Parameters<Mutator['make']>[1], rng: Rng): Uint8Array | undefined => {
    const field = itemCount(op, requestFields(op, negotiated));
    const count = rng.pick(counts);
    return field === undefined || count === undefined ? undefined : withNumberAt(bytes, field, count);
  };

/** Mutators of counts. */
export const counts: readonly Mutator[] = [
  editing({
    name: 'lookups-none',
    family: 'count',
    weight: 2,
    why: 'giving no lookup back must change nothing',
    sendable: false,
    edit: (seed, _cast, rng) => withLookups(seed, rng, [0n]),
  }),
  editing({
    name: 'lookups-many',
    family: 'count',
    weight: 4,
    why: 'lookups of the time before the restart are given back to a server that never counted them',
    sendable: true,
    spare: true,
    edit: (seed, _cast, rng) => withLookups(seed, rng, [2n, 3n, 1000n]),
  }),
  editing({
    name: 'lookups-huge',
    family: 'count',
    weight: 2,
    why: 'a count that is subtracted without a look turns over',
    sendable: false,
    spare: true,
    edit: (seed, _cast, rng) => withLookups(seed, rng, [1n << 31n, 1n << 32n, 1n << 63n, ALL_ONES]),
  }),
  editing({
    name: 'items-fewer',
    family: 'count',
    weight: 2,
    why: 'a server must take the count or the length, and not mix them',
    sendable: false,
    spare: true,
    edit: withItems([0n, 1n]),
  }),
  editing({
    name: 'items-more',
    family: 'count',
    weight: 3,
    why: 'a count that is believed reads beyond the end of the message',
    sendable: false,
    spare: true,
    edit: withItems([3n, 64n, 0x1000n, 0x1000_0001n, 0x7fff_ffffn, 0xffff_ffffn]),
  }),
];
