/** Handles that a request carries although its flag says that it has none (FH of GETATTR, STATX and SETATTR). */

import type { Negotiated } from '../../../protocol/negotiated.js';
import { aimAt, meantBy, patchesOf, patchOf, single } from '../../aim.js';
import type { Mutator } from '../../mutator.js';
import { fieldOffset } from '../../request-fields.js';
import type { Seed, SeedSite } from '../../seed.js';

const name = 'fh.unannounced';

/** The flag is cleared and the old handle left in the field. */
export const unannouncedHandle: Mutator = {
  name,
  family: 'fh',
  weight: 2,
  why: 'a server that looks at the field and not at its flag uses whatever stands there',
  sendable: false,
  make: (seed, cast, rng) => {
    const index = seed.sites.findIndex(({ use }) => use.kind === 'handle' && use.when !== undefined);
    const site = seed.sites[index];
    const life = cast.liveOpen.any.length > 0 ? 'live' : 'old';
    const aim = aimAt(seed, { cast, life, rng });
    const handle = aim?.[index]?.old.handle;
    if (site === undefined || aim === undefined || handle === undefined) return undefined;
    const bytes = withoutFlag(seed, site, cast.negotiated);
    if (bytes === undefined) return undefined;
    const patches = [...patchesOf(seed, aim, life, index), patchOf(site, handle)];
    const relation = life === 'live' ? 'good' : 'stale';
    return single(seed, { mutator: name, relation, bytes, patches, meant: meantBy(aim, life) });
  },
};

const withoutFlag = ({ op, bytes }: Seed, { use }: SeedSite, session: Negotiated): Uint8Array | undefined => {
  const at = use.when && fieldOffset(op, use.when.field, session);
  if (at === undefined || use.when?.mask === undefined) return undefined;
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  view.setUint32(at, view.getUint32(at, true) & ~use.when.mask, true);
  return copy;
};
