/**
 * What keeps a wild server from spoiling the machine; what a thread starts inherits it. It guards against accidents, not
 * against malice: a server that is root could mount its way out.
 */

import { accessSync, constants, existsSync } from 'node:fs';
import { restrictWriting } from './landlock.js';
import { mount, mountSetattr, unshare } from './libc.js';

// linux/sched.h, linux/mount.h, linux/fcntl.h
const CLONE_NEWNS = 0x20000;
const MS_NOSUID_NODEV = 2 | 4;
const MS_BIND_REC = 0x1000 | 0x4000;
const MS_SLAVE_REC = (1 << 19) | 0x4000;
const MOUNT_ATTR_RDONLY = 1;
const AT_RECURSIVE = 0x8000;

const SHARED_MEMORY = '/dev/shm';

/** Whether there is something at the path that may not be changed, for example because it is on a read-only mount. */
const isClosed = (path: string): boolean => {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch {
    return true;
  }
};

/** Keeps what the calling thread starts from changing anything but some paths. */
export interface Confinement {
  /** Makes the paths writable that are there by now. To be called before each start. */
  open(): void;
}

/** A view of the file system of the thread's own, in which everything else is read-only. */
class View implements Confinement {
  readonly #writable: readonly string[];

  private constructor(writable: readonly string[]) {
    this.#writable = writable;
  }

  /** -errno where this user or kernel cannot (root, and Linux 5.12 for mount_setattr). */
  static enter(writable: readonly string[]): View | number {
    const view = new View(writable.filter((path) => !isClosed(path)));
    const made = unshare(CLONE_NEWNS);
    if (made < 0) return made;
    // As a slave it still learns of mounts that are made or removed outside, and shows none of its own there.
    const isolated = mount('none', '/', 'none', MS_SLAVE_REC, '');
    if (isolated < 0) return isolated;
    const closed = mountSetattr('/', AT_RECURSIVE, { set: MOUNT_ATTR_RDONLY, clear: 0 });
    if (closed < 0) return closed;
    mount('relight', SHARED_MEMORY, 'tmpfs', MS_NOSUID_NODEV, 'mode=1777');
    return view;
  }

  open(): void {
    // When a file was replaced by another one under its name, the mount on the old one is gone.
    for (const path of this.#writable.filter(isClosed))
      if (mount(path, path, 'none', MS_BIND_REC, '') >= 0)
        mountSetattr(path, 0, { set: 0, clear: MOUNT_ATTR_RDONLY });
  }
}

/** Rules on the files that are there at the start. */
const rules: Confinement = { open: () => undefined };

/**
 * Confines the calling thread, for good, to the paths (absolute): by a mount namespace, or where this user may not make one
 * by Landlock; -errno where neither is to be had.
 */
export const confine = (writable: readonly string[]): Confinement | number => {
  const view = View.enter(writable);
  if (typeof view === 'object') return view;
  return restrictWriting(writable) < 0 ? view : rules;
};
