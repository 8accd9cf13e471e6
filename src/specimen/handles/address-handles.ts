/** Handles whose number is the address of a record, in the same heap as the nodes' and trusted as blindly. */

import { fileHandle } from '../../base/ids.js';
import { inodeAt, RecordField } from '../ids/address-ids.js';
import type { Heap } from '../ids/heap.js';
import type { Store } from '../store/store.js';
import { type Handle, type Handles, unpin } from './handles.js';

const O_RDWR = 2;

/** Handles by address. A record holds the inode number and which open it was; what matches no open is taken at its word. */
export const addressHandles = (store: Store, heap: Heap): Handles => {
  const opens = new Map<bigint, Handle>();
  let serial = 0n;
  const openAt = (address: bigint): Handle | undefined =>
    opens.get(heap.readU64(address + RecordField.count));
  return {
    open: (handle) => {
      const address = heap.allocate();
      heap.writeU64(address + RecordField.ino, BigInt(handle.inode.ino));
      heap.writeU64(address + RecordField.count, ++serial);
      opens.set(serial, handle);
      handle.inode.pins += 1;
      return fileHandle(address);
    },
    find: (fh) => openAt(fh) ?? { inode: inodeAt(store, heap, fh), flags: O_RDWR },
    release: (fh) => {
      const handle = openAt(fh);
      opens.delete(heap.readU64(fh + RecordField.count));
      heap.free(fh);
      if (handle !== undefined) unpin(store, handle.inode);
      return true;
    },
  };
};
