/** A stale request followed by right ones: what is answered well, or not at all, may break what comes later. */

import { aimAt, meantBy, patchesOf } from '../../aim.js';
import { lookAtLive, plainRequest } from '../../companions.js';
import type { Mutator } from '../../mutator.js';

const name = 'sequence.stale-then-live';
const MOST_LOOKS = 3;

/** The looks come after the wrong request, which stays the one that the case is about. */
export const staleThenLive: Mutator = {
  name,
  family: 'sequence',
  weight: 4,
  why: 'a kernel goes on with new ids beside the old ones, and a stale FORGET or RELEASE shows only then',
  sendable: true,
  make: (seed, cast, rng) => {
    const aim = seed.sites.length === 0 ? undefined : aimAt(seed, { cast, life: 'old', rng });
    if (aim === undefined) return undefined;
    const looks = Array.from({ length: rng.int(1, MOST_LOOKS) }, () => lookAtLive(cast, rng));
    const requests = [
      plainRequest(seed, patchesOf(seed, aim, 'old')),
      ...looks.filter((look) => look !== undefined),
    ];
    return {
      mutator: name,
      relation: 'stale',
      op: seed.op.name,
      requests,
      wrong: 0,
      meant: meantBy(aim, 'old'),
    };
  },
};
