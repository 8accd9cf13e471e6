/** Nodeids that this life did give, but not for what they are used for. */

import type { ObjectType } from '../../../protocol/operation.js';
import type { Cast, CastObject, CastType } from '../../cast.js';
import type { Mutator } from '../../mutator.js';
import { replacing, type Target } from '../replacing.js';

const nodeOf = (object: CastObject | undefined): { symbol: number } | undefined =>
  object?.live && { symbol: object.live.node };

const otherTypes: Readonly<Record<CastType, readonly CastType[]>> = {
  file: ['directory', 'symlink', 'other'],
  directory: ['file', 'symlink', 'other'],
  symlink: ['file', 'directory', 'other'],
  other: ['file', 'directory', 'symlink'],
};

/** Type that the operation makes sure of, or that the handle beside the node has. */
const typeWanted = ({ site, object }: Target): CastType | undefined => {
  const type: ObjectType | undefined = site.use.type;
  return type ?? (site.open ? object.type : undefined);
};

const ofOtherType = (target: Target): { symbol: number } | undefined => {
  const wanted = typeWanted(target);
  if (wanted === undefined) return undefined;
  const { cast, rng } = target;
  const found = otherTypes[wanted].flatMap((type) => rng.pick(cast.live[type]) ?? []);
  return nodeOf(rng.pick(found));
};

/** A second try finds another object in all but the smallest casts. */
const otherThan = (object: CastObject, { live }: Cast, rng: Target['rng']): CastObject | undefined => {
  const first = rng.pick(live[object.type]);
  const found = first === object ? rng.pick(live[object.type]) : first;
  return found === object ? undefined : found;
};

/** Mutators with live or forgotten nodeids of other objects. */
export const mismatchedNodes: readonly Mutator[] = [
  replacing({
    kind: 'node',
    name: 'forgotten',
    relation: 'forgotten',
    weight: 3,
    why: 'counts of lookups are lost with a server, so a kernel may use what its successor thinks forgotten',
    sendable: true,
    replace: ({ cast, site, rng }) => {
      const object = rng.pick(cast.forgotten[site.type]) ?? rng.pick(cast.forgotten.any);
      return object?.forgotten === undefined ? undefined : { symbol: object.forgotten };
    },
  }),
  replacing({
    kind: 'node',
    name: 'other-type',
    relation: 'otherType',
    weight: 4,
    why: 'the number of an old file is now that of a directory, or the other way round',
    sendable: true,
    replace: ofOtherType,
  }),
  replacing({
    kind: 'node',
    name: 'other-object',
    relation: 'otherObject',
    weight: 4,
    why: 'an old number now belongs to another file, while the handle beside it is right',
    sendable: true,
    around: ['live'],
    replace: ({ site, object, cast, rng }) => (site.open ? nodeOf(otherThan(object, cast, rng)) : undefined),
  }),
  replacing({
    kind: 'node',
    name: 'handle-instead',
    relation: 'otherType',
    weight: 2,
    why: 'servers with one table for nodes and handles must tell them apart',
    sendable: false,
    replace: ({ cast, rng }) => {
      const handle = (rng.pick(cast.liveOpen.any) ?? rng.pick(cast.oldOpen.any))?.[
        cast.liveOpen.any.length > 0 ? 'live' : 'old'
      ]?.handle;
      return handle === undefined ? undefined : { symbol: handle };
    },
  }),
];
