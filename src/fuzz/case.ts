/**
 * A case: a few requests of which at least one is wrong on purpose, with the words that findings are sorted by. Data only:
 * which servers it is tried on, and what comes of it, is not known here.
 */

import type { Patch } from '../plan/plan.js';
import type { Operation } from '../protocol/operations.js';

/** What kind of thing a mutator does; one folder of mutators each. */
export const mutatorFamilies = ['nodeid', 'fh', 'count', 'size', 'sequence', 'negotiation'] as const;
/** See `mutatorFamilies`. */
export type MutatorFamily = (typeof mutatorFamilies)[number];

/**
 * What a wrong number is to the server that gets it: `stale` was minted by an earlier incarnation, `forgotten` and
 * `released` by this one and given back, `otherType` and `otherObject` are live ids of another object, `neighbour` is near
 * an id, `address` lies in its memory, `constant` is a number that means something elsewhere. `good`: the ids are right
 * and something else is wrong.
 */
export type Relation =
  | 'stale'
  | 'forgotten'
  | 'released'
  | 'otherType'
  | 'otherObject'
  | 'neighbour'
  | 'address'
  | 'constant'
  | 'good';

/** One request of a case. */
export interface CaseRequest {
  /** Absent for an opcode that the table does not have. */
  readonly op: Operation | undefined;
  /** The frame as it is sent but for the patches; its header may tell another length than it has. */
  readonly bytes: Uint8Array;
  /** Numbers that depend on the server's lives; symbols are those of the cast (`cast.ts`). */
  readonly patches: readonly Patch[];
  /** Bit 63 is set in its unique: the kernel says that it may have been carried out before. */
  readonly resent: boolean;
  /** Request of the same case whose unique it has too, negative for one of a batch before; absent for one of its own. */
  readonly repeats?: number;
}

/** A case that can be tried on any life of the server after the first. */
export interface Case {
  /** Name of the mutator, such as `nodeid.stale`. */
  readonly mutator: string;
  readonly relation: Relation;
  /** Operation that it is about: that of the request that is wrong. */
  readonly op: string;
  /** In the order of sending. */
  readonly requests: readonly CaseRequest[];
  /** Index of the request that is wrong; those before it prepare for it, those after it follow up. */
  readonly wrong: number;
  /** Symbols of objects that the case may change lawfully, because its ids were minted for them. */
  readonly meant: readonly number[];
}
