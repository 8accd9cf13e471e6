/** A seed: a request that is right but for the ids, which are filled in for objects of the cast. Data only. */

import type { IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import type { CastType } from './cast.js';

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
