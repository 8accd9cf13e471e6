/** A seed: a request that is right but for the ids, which are filled in for objects of the cast. It chooses none itself. */

import { requestIdMap, visitIds } from '../protocol/id-sites.js';
import type { Fields } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import type { CastType } from './cast.js';
import { frameOf } from './made-up.js';

/** A nodeid or fh of a seed. */
export interface SeedSite {
  readonly use: IdUse;
  /** Byte in the frame where the u64 stands. */
  readonly offset: number;
  /** Type of object that belongs here; a handle's site has that of its node. */
  readonly type: CastType | 'any';
  /**
   * Index in the cast of the object that the rest of the request goes with, such as the parent of the name in it; absent
   * when any of the type will do.
   */
  readonly object: number | undefined;
  /** Whether a handle of the same object follows. */
  readonly open: boolean;
  /** Byte in the frame of the number of lookups that the request gives back of this node. */
  readonly countAt: number | undefined;
}

/** A request to start from. */
export interface Seed {
  readonly op: Operation;
  /** `recorded`: from the trace. `made`: from the layout columns of the operation table. */
  readonly origin: 'recorded' | 'made';
  /** Must not be written to. Its ids are of no use. */
  readonly bytes: Uint8Array;
  /** In the order of the wire but for the header's, which comes first; a handle comes after its node. */
  readonly sites: readonly SeedSite[];
}

/**
 * A request that is made up of fields. `object` is the index in the cast of what its header must name; any of the type will
 * do when it is absent.
 */
export const madeSeed = (op: Operation, fields: Fields, session: Negotiated, object?: number): Seed => {
  const bytes = frameOf(op, fields, session);
  const places = placesIn(op, bytes, session);
  const sites = sitesFrom(
    places.map((place) => (place.use.part === 'header' ? { ...place, object } : place)),
  );
  return { op, origin: 'made', bytes, sites };
};

/** An id in a request; its type is known when it is that of an object of the cast. */
export type Place = Pick<SeedSite, 'use' | 'offset' | 'object' | 'countAt'> & { readonly type?: CastType };

/** The ids that a request holds. */
export const placesIn = (op: Operation, bytes: Uint8Array, session: Negotiated): Place[] => {
  const places: Place[] = [];
  visitIds(requestIdMap(op, session), bytes, (use, offset, countAt) =>
    places.push({ use, offset, object: undefined, countAt: countAt < 0 ? undefined : countAt }),
  );
  return places;
};

/** Those that are nodes and handles; a handle belongs to the node before it. */
export const sitesFrom = (places: readonly Place[]): SeedSite[] => {
  const named = places.filter(({ use }) => use.kind === 'node' || use.kind === 'handle');
  const sites: SeedSite[] = [];
  for (const [index, { use, offset, object, countAt, type = use.type ?? 'any' }] of named.entries()) {
    const before = sites.at(-1);
    const open = named[index + 1]?.use.kind === 'handle';
    if (use.kind === 'node') sites.push({ use, offset, type, object, open, countAt });
    else if (before !== undefined)
      sites.push({ use, offset, type: before.type, object: before.object, open: false, countAt });
  }
  return sites;
};
