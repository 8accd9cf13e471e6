/**
 * Nodeids that are addresses of node records, dereferenced without a check: most low-level libfuse servers. A wrong one reads
 * a recycled or freed record, takes lookups from somebody else's, or ends the process by SIGSEGV.
 */

import { type NodeId, nodeId } from '../../base/ids.js';
import { Content } from '../store/content.js';
import { FileType, type Inode } from '../store/inode.js';
import type { Store } from '../store/store.js';
import type { Heap } from './heap.js';
import type { NodeIds } from './node-ids.js';

/** Words of a record, in bytes from its address. A node's and a handle's both begin with the inode number. */
export const RecordField = { ino: 0n, count: 8n } as const;

/** The inode that a record names; what no store has is made up from the record's own bytes, as a C server would show them. */
export const inodeAt = (store: Store, heap: Heap, address: bigint): Inode => {
  const ino = heap.readU64(address + RecordField.ino);
  return store.find(Number(ino)) ?? ghost(heap, address);
};

/** Nodeids by address. */
export const addressIds = (store: Store, heap: Heap): NodeIds => {
  const addresses = new Map<Inode, NodeId>();
  const owners = new Map<NodeId, Inode>();
  const allocate = (inode: Inode): NodeId => {
    const nodeid = nodeId(heap.allocate());
    heap.writeU64(nodeid + RecordField.ino, BigInt(inode.ino));
    heap.writeU64(nodeid + RecordField.count, 0n);
    addresses.set(inode, nodeid);
    owners.set(nodeid, inode);
    inode.pins += 1;
    return nodeid;
  };
  const release = (nodeid: NodeId): void => {
    heap.free(nodeid);
    const inode = owners.get(nodeid);
    if (inode === undefined) return;
    owners.delete(nodeid);
    addresses.delete(inode);
    inode.pins -= 1;
    store.reap(inode);
  };
  return {
    enter: (inode) => {
      const nodeid = addresses.get(inode) ?? allocate(inode);
      heap.writeU64(nodeid + RecordField.count, heap.readU64(nodeid + RecordField.count) + 1n);
      return { nodeid, generation: 0n };
    },
    find: (nodeid) => inodeAt(store, heap, nodeid),
    forget: (nodeid, nlookup) => {
      const had = heap.readU64(nodeid + RecordField.count);
      if (had > nlookup) heap.writeU64(nodeid + RecordField.count, had - nlookup);
      else release(nodeid);
      return true;
    },
    numberOf: (inode) => addresses.get(inode),
  };
};

const GHOST_TIME = { sec: 0n, nsec: 0 };

/** A file that shows a record's bytes: number from its first word, size from its second, contents from memory itself. */
const ghost = (heap: Heap, address: bigint): Inode => ({
  ino: Number(heap.readU64(address)),
  generation: 0,
  mode: FileType.file | 0o644,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  atime: GHOST_TIME,
  mtime: GHOST_TIME,
  ctime: GHOST_TIME,
  body: { kind: 'file', content: memoryContent(heap, address) },
  xattrs: undefined,
  pins: 1,
});

const memoryContent = (heap: Heap, address: bigint): Content =>
  new Content(Number(heap.readU64(address + 8n) & 0xffffn), (offset, target) => {
    const view = new DataView(target.buffer, target.byteOffset, target.length);
    for (let at = 0; at + 8 <= target.length; at += 8)
      view.setBigUint64(at, heap.readU64(address + BigInt(offset + at)), true);
  });
