/** Handles that are old, given back, or of something else. */

import type { Cast, CastObject, CastType, Pool } from '../../cast.js';
import type { Mutator } from '../../mutator.js';
import type { SeedSite } from '../../seed.js';
import { replacing } from '../replacing.js';

const liveHandle = (object: CastObject | undefined): { symbol: number } | undefined =>
  object?.live?.handle === undefined ? undefined : { symbol: object.live.handle };
const oldHandle = (object: CastObject | undefined): { symbol: number } | undefined =>
  object?.old.handle === undefined ? undefined : { symbol: object.old.handle };

/** What is open and may be named at a site; what is closed there must be to spare. */
const openNow = ({ liveOpen, spareOpen }: Cast, { use }: SeedSite): Pool =>
  use.act === 'release' ? spareOpen : liveOpen;

/** The other type that is opened. */
const otherOpened = (type: CastType): CastType => (type === 'directory' ? 'file' : 'directory');

/** Mutators with handles that are in the wrong place. */
export const mismatchedHandles: readonly Mutator[] = [
  replacing({
    kind: 'handle',
    name: 'stale',
    relation: 'stale',
    weight: 10,
    why: 'a strategy that looks nodes up again leaves the handles of open files as they were',
    sendable: true,
    around: ['live'],
    replace: ({ object }) => oldHandle(object),
  }),
  replacing({
    kind: 'handle',
    name: 'stale-of-other',
    relation: 'stale',
    weight: 5,
    why: 'open files outlive their names, so an old handle may stand beside any new node',
    sendable: false,
    replace: ({ cast, object, rng }) => oldHandle(rng.pick(cast.oldOpen[object.type])),
  }),
  replacing({
    kind: 'handle',
    name: 'stale-of-other-type',
    relation: 'otherType',
    weight: 3,
    why: 'an old handle of a directory is taken for one of a file, or the other way round',
    sendable: false,
    replace: ({ cast, object, rng }) => oldHandle(rng.pick(cast.oldOpen[otherOpened(object.type)])),
  }),
  replacing({
    kind: 'handle',
    name: 'released',
    relation: 'released',
    weight: 4,
    why: 'an old handle has the number of one that was closed in this life',
    sendable: true,
    replace: ({ cast, object, rng }) => {
      const symbol = (object.released === undefined ? rng.pick(cast.released[object.type]) : object)
        ?.released;
      return symbol === undefined ? undefined : { symbol };
    },
  }),
  replacing({
    kind: 'handle',
    name: 'other-object',
    relation: 'otherObject',
    weight: 4,
    why: 'an old handle has the number of one that is now open on another file',
    sendable: true,
    around: ['live'],
    replace: ({ cast, object, site, rng }) => {
      const other = rng.pick(openNow(cast, site)[object.type]);
      return other === object ? undefined : liveHandle(other);
    },
  }),
  replacing({
    kind: 'handle',
    name: 'other-type',
    relation: 'otherType',
    weight: 4,
    why: 'an old handle of a file has the number of a directory that is now open, or the other way round',
    sendable: true,
    replace: ({ cast, object, site, rng }) =>
      liveHandle(rng.pick(openNow(cast, site)[otherOpened(object.type)])),
  }),
  replacing({
    kind: 'handle',
    name: 'node-instead',
    relation: 'otherType',
    weight: 2,
    why: 'servers with one table for nodes and handles must tell them apart',
    sendable: false,
    replace: ({ cast, rng }) => {
      const object = rng.pick(cast.live.any);
      return object?.live && { symbol: object.live.node };
    },
  }),
];
