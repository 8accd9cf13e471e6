/** Ids that are used or given back once more after they were given back in the same life. */

import { aimAt, meantBy, patchesOf } from '../../aim.js';
import type { MutatorFamily, Relation } from '../../case.js';
import { givingBack, plainRequest } from '../../companions.js';
import type { Mutator } from '../../mutator.js';
import type { Seed } from '../../seed.js';

interface Row {
  readonly name: string;
  readonly family: MutatorFamily;
  readonly weight: number;
  readonly why: string;
  readonly kind: 'node' | 'handle';
  readonly relation: Relation;
  /** Whether the second request gives the id back as well. */
  readonly twice: boolean;
}

const givenBackFirst = ({ kind, relation, twice, ...row }: Row): Mutator => ({
  ...row,
  sendable: false,
  make: (seed, cast, rng) => {
    const index = seed.sites.findIndex(({ use }) => use.kind === kind);
    if (!isFit(seed, index, { kind, twice })) return undefined;
    const aim = aimAt(seed, { cast, life: 'live', rng, spare: true });
    const object = aim?.[index];
    const before = object && givingBack(kind, object, cast.negotiated);
    if (aim === undefined || before === undefined) return undefined;
    const requests = [before, plainRequest(seed, patchesOf(seed, aim, 'live'))];
    return { mutator: row.name, relation, op: seed.op.name, requests, wrong: 1, meant: meantBy(aim, 'live') };
  },
});

/** A node is forgotten only while nothing is open by it; handles have their own mutators. */
const isFit = ({ sites }: Seed, index: number, { kind, twice }: Pick<Row, 'kind' | 'twice'>): boolean => {
  const site = sites[index];
  if (site === undefined || (site.use.act === 'release') !== twice) return false;
  return kind === 'handle' || !sites.some(({ use }) => use.kind === 'handle');
};

/** Mutators that give back first. */
export const givenBack: readonly Mutator[] = [
  givenBackFirst({
    name: 'count.use-after-forget',
    family: 'count',
    weight: 3,
    why: 'a server that frees a node with its last lookup must not find it again',
    kind: 'node',
    relation: 'forgotten',
    twice: false,
  }),
  givenBackFirst({
    name: 'count.forget-again',
    family: 'count',
    weight: 3,
    why: 'a kernel whose counts are those of the server before gives back more than it got',
    kind: 'node',
    relation: 'forgotten',
    twice: true,
  }),
  givenBackFirst({
    name: 'sequence.use-after-release',
    family: 'sequence',
    weight: 3,
    why: 'a handle that is closed is free for the next file, and must not be used for this one',
    kind: 'handle',
    relation: 'released',
    twice: false,
  }),
  givenBackFirst({
    name: 'sequence.release-again',
    family: 'sequence',
    weight: 3,
    why: 'an old handle is closed although this life closed the same number already',
    kind: 'handle',
    relation: 'released',
    twice: true,
  }),
];
