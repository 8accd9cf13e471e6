/** The id policies by name: what each is a model of, and what it does with a nodeid that it knows to be wrong. */

import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.js';
import { addressIds } from './address-ids.js';
import type { Heap } from './heap.js';
import { type NodeIds, withRoot } from './node-ids.js';
import { counting, drawing, slots } from './numbering.js';
import { inodeGenerationIds, inodeIds } from './stable-ids.js';
import { tableIds } from './table-ids.js';

/** What becomes of a request whose nodeid the policy does not know: ESTALE, or the server ends itself by SIGABRT. */
export type UnknownNode = 'estale' | 'abort';

/** An id policy. */
export interface IdPolicy {
  /** One sentence for `--help`. */
  readonly text: string;
  readonly make: (store: Store, heap: () => Heap) => NodeIds;
  readonly unknown: UnknownNode;
}

/** First number after the root's. */
const FIRST = 2;

const incarnation = (): bigint => BigInt(randomBytes(4).readUInt32LE());

/** All id policies. */
export const idPolicies = {
  inode: {
    text: 'inode number, the same in every incarnation (lowntfs-3g); a recycled number serves the new file',
    make: (store) => inodeIds(store),
    unknown: 'estale',
  },
  'inode+generation': {
    text: 'inode number and generation in one number, the same in every incarnation',
    make: (store) => inodeGenerationIds(store),
    unknown: 'estale',
  },
  counter: {
    text: 'counts up from 2 in every incarnation, generation 0; an unknown one aborts (libfuse, high level)',
    make: (store) => tableIds(store, counting(BigInt(FIRST)), 0n),
    unknown: 'abort',
  },
  'counter+generation': {
    text: 'as counter, with a generation drawn at each start (mergerfs)',
    make: (store) => tableIds(store, counting(BigInt(FIRST)), incarnation()),
    unknown: 'abort',
  },
  index: {
    text: 'index into a table whose freed slots are used again; an unknown one is ESTALE (bazil)',
    make: (store) => tableIds(store, slots(FIRST, 'last'), 0n),
    unknown: 'estale',
  },
  random: {
    text: 'random 64 bits of this incarnation; any other is ESTALE: safe',
    make: (store) => tableIds(store, drawing(), 0n),
    unknown: 'estale',
  },
  address: {
    text: 'address of a record in memory, dereferenced without a check (libfuse, low level)',
    make: (store, heap) => addressIds(store, heap()),
    unknown: 'estale',
  },
} as const satisfies Readonly<Record<string, IdPolicy>>;

/** Name of an id policy. */
export type IdPolicyName = keyof typeof idPolicies;

/** Nodeids of a new incarnation, the root included. `heap` is called only by a policy that needs one. */
export const makeNodeIds = (name: IdPolicyName, store: Store, heap: () => Heap): NodeIds => {
  const policy: IdPolicy = idPolicies[name];
  return withRoot(store, policy.make(store, heap));
};
