/** Nodeids made from the inode number alone, so that they outlive the server: what servers of disk file systems do. */

import { type NodeId, nodeId } from '../../base/ids.js';
import type { Inode } from '../store/inode.js';
import type { Store } from '../store/store.js';
import type { NodeIds } from './node-ids.js';

/** How an inode becomes a number, and which inode a number means. */
interface Naming {
  number(inode: Inode): bigint;
  find(number: bigint): Inode | undefined;
  generation(inode: Inode): bigint;
}

/**
 * The inode number is the nodeid and the generation is always 1 (lowntfs-3g). Stable, yet not safe: a number that was given
 * to a new file serves the new file.
 */
export const inodeIds = (store: Store): NodeIds =>
  stableIds(store, {
    number: (inode) => BigInt(inode.ino),
    find: (number) => store.find(Number(number)),
    generation: () => 1n,
  });

/** Generation and inode number packed into 64 bits: the nodeid of a file that is gone means nothing for ever. */
export const inodeGenerationIds = (store: Store): NodeIds =>
  stableIds(store, {
    number: packed,
    find: (number) => {
      const inode = store.find(Number(number & 0xffff_ffffn));
      return inode !== undefined && packed(inode) === number ? inode : undefined;
    },
    generation: (inode) => BigInt(inode.generation),
  });

const packed = (inode: Inode): bigint => (BigInt(inode.generation) << 32n) | BigInt(inode.ino);

const stableIds = (store: Store, naming: Naming): NodeIds => {
  const lookups = new Map<Inode, bigint>();
  const release = (inode: Inode, left: bigint): void => {
    if (left > 0n) {
      lookups.set(inode, left);
      return;
    }
    lookups.delete(inode);
    inode.pins -= 1;
    store.reap(inode);
  };
  const forget = (nodeid: NodeId, nlookup: bigint): boolean => {
    const inode = naming.find(nodeid);
    const had = inode && lookups.get(inode);
    // A stale FORGET is harmless here: nothing was counted in this incarnation.
    if (inode === undefined || had === undefined) return inode !== undefined;
    release(inode, had - nlookup);
    return had >= nlookup;
  };
  return {
    enter: (inode) => {
      const had = lookups.get(inode) ?? 0n;
      if (had === 0n) inode.pins += 1;
      lookups.set(inode, had + 1n);
      return { nodeid: nodeId(naming.number(inode)), generation: naming.generation(inode) };
    },
    find: (nodeid) => naming.find(nodeid),
    forget,
    numberOf: (inode) => (lookups.has(inode) ? nodeId(naming.number(inode)) : undefined),
  };
};
