/** What every id policy does: turn inodes into the nodeids that the kernel sees, and back. */

import { type NodeId, ROOT_ID } from '../../base/ids.js';
import type { Inode } from '../store/inode.js';
import { ROOT_INO, type Store } from '../store/store.js';

/** The two numbers of a `fuse_entry_out` that name a node. */
export interface Minted {
  readonly nodeid: NodeId;
  readonly generation: bigint;
}

/** Nodeids of one incarnation. */
export interface NodeIds {
  /** Names the inode in a reply, and counts one lookup that the kernel owes a FORGET. */
  enter(inode: Inode): Minted;
  /** The inode that the nodeid means here and now; `undefined` when the policy can tell that it means none. */
  find(nodeid: NodeId): Inode | undefined;
  /** Takes lookups back; false when the policy can tell that the nodeid or the count is wrong. */
  forget(nodeid: NodeId, nlookup: bigint): boolean;
  /** The nodeid under which the kernel knows the inode; `undefined` when it does not. */
  numberOf(inode: Inode): NodeId | undefined;
}

/** The policy with the root added, which has nodeid 1, generation 0 and no count under every policy (FUSE_ROOT_ID). */
export const withRoot = (store: Store, ids: NodeIds): NodeIds => ({
  enter: (inode) => (inode.ino === ROOT_INO ? { nodeid: ROOT_ID, generation: 0n } : ids.enter(inode)),
  find: (nodeid) => (nodeid === ROOT_ID ? store.find(ROOT_INO) : ids.find(nodeid)),
  forget: (nodeid, nlookup) => nodeid === ROOT_ID || ids.forget(nodeid, nlookup),
  numberOf: (inode) => (inode.ino === ROOT_INO ? ROOT_ID : ids.numberOf(inode)),
});
