/** Nodeids from a table of the nodes that the kernel has looked up: they die with the incarnation, whatever their numbers look like. */

import { type NodeId, nodeId } from '../../base/ids.js';
import type { Inode } from '../store/inode.js';
import type { Store } from '../store/store.js';
import type { NodeIds } from './node-ids.js';
import type { Numbering } from './numbering.js';

/** A node that the kernel knows. */
export interface Known {
  readonly inode: Inode;
  nodeid: NodeId;
  nlookup: bigint;
}

/** Nodeids by a numbering, all with the same generation; an inode keeps its nodeid until it is forgotten. */
export const tableIds = (store: Store, numbering: Numbering<Known>, generation: bigint): NodeIds => {
  const byInode = new Map<Inode, Known>();
  const add = (inode: Inode): Known => {
    const known = { inode, nodeid: nodeId(0n), nlookup: 0n };
    known.nodeid = nodeId(numbering.mint(known));
    byInode.set(inode, known);
    inode.pins += 1;
    return known;
  };
  const drop = ({ inode, nodeid }: Known): void => {
    numbering.drop(nodeid);
    byInode.delete(inode);
    inode.pins -= 1;
    store.reap(inode);
  };
  return {
    enter: (inode) => {
      const known = byInode.get(inode) ?? add(inode);
      known.nlookup += 1n;
      return { nodeid: known.nodeid, generation };
    },
    find: (nodeid) => numbering.find(nodeid)?.inode,
    forget: (nodeid, nlookup) => {
      const known = numbering.find(nodeid);
      if (known === undefined) return false;
      known.nlookup -= nlookup;
      if (known.nlookup <= 0n) drop(known);
      return known.nlookup >= 0n;
    },
    numberOf: (inode) => byInode.get(inode)?.nodeid,
  };
};
