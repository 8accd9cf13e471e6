/** The handle policies by name, and which one goes with which id policy unless told otherwise. */

import type { Heap } from '../ids/heap.js';
import { counting, drawing, slots } from '../ids/numbering.js';
import type { IdPolicyName } from '../ids/policies.js';
import type { Store } from '../store/store.js';
import { addressHandles } from './address-handles.js';
import { type Handles, noHandles, numberedHandles } from './handles.js';

/**
 * What a request with an fh is checked for: nothing, that its nodeid is known as well, or that both name the same file.
 * A number that is no handle is EBADF in any case.
 */
export type HandleCheck = 'none' | 'known' | 'match';

/** A handle policy. */
export interface HandlePolicy {
  /** One sentence for `--help`. */
  readonly text: string;
  readonly make: (store: Store, heap: () => Heap) => Handles;
}

/** All handle policies. */
export const handlePolicies = {
  none: {
    text: 'fh is 0, the nodeid says which file is meant: nothing to go stale (ntfs-3g)',
    make: () => noHandles(),
  },
  counter: {
    text: 'counts up from 1 in every incarnation',
    make: (store) => numberedHandles(store, counting(1n)),
  },
  index: {
    text: 'index into a table from 1 (0 is none), the last freed slot first (go-fuse)',
    make: (store) => numberedHandles(store, slots(1, 'last')),
  },
  fd: {
    text: 'lowest free number from 5, as descriptors of a backing file are (bindfs)',
    make: (store) => numberedHandles(store, slots(5, 'lowest')),
  },
  random: {
    text: 'random 64 bits of this incarnation: safe',
    make: (store) => numberedHandles(store, drawing()),
  },
  address: {
    text: 'address of a record in memory, dereferenced without a check',
    make: (store, heap) => addressHandles(store, heap()),
  },
} as const satisfies Readonly<Record<string, HandlePolicy>>;

/** Name of a handle policy. */
export type HandlePolicyName = keyof typeof handlePolicies;

/** What goes with an id policy unless told otherwise, after the servers that the policy is a model of. */
export const handleDefaults: Readonly<
  Record<IdPolicyName, { readonly handles: HandlePolicyName; readonly check: HandleCheck }>
> = {
  inode: { handles: 'none', check: 'known' },
  'inode+generation': { handles: 'none', check: 'known' },
  counter: { handles: 'counter', check: 'known' },
  'counter+generation': { handles: 'counter', check: 'known' },
  index: { handles: 'index', check: 'known' },
  random: { handles: 'random', check: 'match' },
  address: { handles: 'address', check: 'none' },
};

/** Handles of a new incarnation. `heap` is called only by a policy that needs one. */
export const makeHandles = (name: HandlePolicyName, store: Store, heap: () => Heap): Handles => {
  const policy: HandlePolicy = handlePolicies[name];
  return policy.make(store, heap);
};
