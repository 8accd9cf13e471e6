/** Nodeids of an earlier life, as a kernel that was told nothing goes on using them. */

import { aimAt, idsOf, meantBy, patchesOf, single } from '../../aim.js';
import { preparation } from '../../companions.js';
import type { Mutator } from '../../mutator.js';
import { replacing } from '../replacing.js';

const name = 'nodeid.stale';

/** Every id of the request is old. */
const stale: Mutator = {
  name,
  family: 'nodeid',
  weight: 10,
  why: 'a kernel whose connection was kept goes on with the ids that the dead server gave',
  sendable: true,
  make: (seed, cast, rng) => {
    if (seed.sites.length === 0) return undefined;
    const aim = aimAt(seed, { cast, life: 'old', rng });
    if (aim === undefined) return undefined;
    const patches = patchesOf(seed, aim, 'old');
    const before = preparation(seed, aim, cast, rng);
    return single(seed, { mutator: name, relation: 'stale', patches, meant: meantBy(aim, 'old'), before });
  },
};

/** An old nodeid among live ids. */
const staleAmongLive = replacing({
  kind: 'node',
  name: 'stale-beside-live',
  relation: 'stale',
  weight: 5,
  why: 'a file that was opened after the restart has a new handle on an inode that the kernel knew before',
  sendable: true,
  around: ['live'],
  replace: ({ object, cast }) =>
    object.parent === undefined
      ? staleDirectory(cast.old.directory[0])
      : { symbol: idsOf(object, 'old').node },
});

const staleDirectory = (object: { readonly old: { readonly node: number } } | undefined) =>
  object && { symbol: object.old.node };

/** Mutators with nodeids of an earlier life. */
export const staleNodes: readonly Mutator[] = [stale, staleAmongLive];
