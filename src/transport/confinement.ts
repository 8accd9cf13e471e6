/**
 * What keeps a wild server from spoiling the machine: a mount namespace of the calling thread's own, inherited by what it
 * starts, in which everything is read-only but some paths. It guards against accidents, not against malice: a server that
 * is root could mount its way out.
 */

import { accessSync, constants, existsSync } from 'node:fs';
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

/** A thread's own view of the file system. */
export class Confinement {
  readonly #writable: readonly string[];

  private constructor(writable: readonly string[]) {
    this.#writable = writable;
  }

  /**
   * Gives the calling thread, for good, a view in which only the paths (absolute) are writable and /dev/shm is its own;
   * -errno where this user or kernel cannot (root, and Linux 5.12 for mount_setattr). The thread keeps that view also then.
   */
  static enter(writable: readonly string[]): Confinement | number {
    const confinement = new Confinement(writable.filter((path) => !isClosed(path)));
    const made = unshare(CLONE_NEWNS);
    if (made < 0) return made;
    // As a slave it still learns of mounts that are made or removed outside, and shows none of its own there.
    const isolated = mount('none', '/', 'none', MS_SLAVE_REC, '');
    if (isolated < 0) return isolated;
    const closed = mountSetattr('/', AT_RECURSIVE, { set: MOUNT_ATTR_RDONLY, clear: 0 });
    if (closed < 0) return closed;
    mount('relight', SHARED_MEMORY, 'tmpfs', MS_NOSUID_NODEV, 'mode=1777');
    return confinement;
  }

  /**
   * Makes the paths writable that are there. To be called before each start: when a file was replaced by another one under
   * its name, the mount on the old one is gone.
   */
  open(): void {
    for (const path of this.#writable.filter(isClosed))
      if (mount(path, path, 'none', MS_BIND_REC, '') >= 0)
        mountSetattr(path, 0, { set: 0, clear: MOUNT_ATTR_RDONLY });
  }
}
