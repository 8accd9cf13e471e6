/** Open files and directories, and the numbers (fh) by which the kernel names them. */

import { type FileHandle, fileHandle } from '../../base/ids.js';
import type { Numbering } from '../ids/numbering.js';
import type { Inode } from '../store/inode.js';
import type { Store } from '../store/store.js';

/** One open file or directory. */
export interface Handle {
  readonly inode: Inode;
  /** O_ flags of the open(2). */
  readonly flags: number;
}

/** Handles of one incarnation. An open handle pins its inode. */
export interface Handles {
  open(handle: Handle): FileHandle;
  /** `undefined` when the policy can tell that the number means nothing. `inode` is what the request's nodeid means. */
  find(fh: FileHandle, inode: Inode | undefined): Handle | undefined;
  /** Closes it; false when there was nothing to close. */
  release(fh: FileHandle): boolean;
}

/** Handles by a numbering. */
export const numberedHandles = (store: Store, numbering: Numbering<Handle>): Handles => ({
  open: (handle) => {
    handle.inode.pins += 1;
    return fileHandle(numbering.mint(handle));
  },
  find: (fh) => numbering.find(fh),
  release: (fh) => {
    const handle = numbering.find(fh);
    if (handle === undefined) return false;
    numbering.drop(fh);
    unpin(store, handle.inode);
    return true;
  },
});

const O_RDWR = 2;

/** No handles: fh is always 0 and the nodeid says which file is meant, as in servers that answer by path (ntfs-3g). */
export const noHandles = (): Handles => ({
  open: () => fileHandle(0n),
  find: (_fh, inode) => inode && { inode, flags: O_RDWR },
  release: () => true,
});

/** Lets go of an inode that a handle held. */
export const unpin = (store: Store, inode: Inode): void => {
  inode.pins -= 1;
  store.reap(inode);
};
