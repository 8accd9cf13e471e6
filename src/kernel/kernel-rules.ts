/**
 * What the kernel itself does with each operation, beyond the wire format: facts of fs/fuse in Linux 6.9 to 7.3, one row
 * per operation. The wire format is in `protocol/operations.ts`.
 */

import { Errno } from '../base/errno.js';
import type { InitFlagName } from '../protocol/flags.js';
import type { OperationName } from '../protocol/operations.js';

/** Kernel behaviour of one operation. */
export interface KernelRule {
  /**
   * Whether a request about a bad inode is refused with EIO before anything is sent (`fuse_is_bad`), or goes out all the
   * same: the kernel lets go of bad inodes and of files open on them like of any others, and several calls on an open file
   * never ask.
   */
  readonly onBad: 'refused' | 'sent';
  /** Kernel function that decides so. */
  readonly by: string;
  /**
   * What the application sees once the server has answered ENOSYS: the kernel remembers it and never sends the operation
   * again (`fuse_conn.no_open` and its like). Absent where it does not remember.
   */
  readonly unsupported?: number;
  /** INIT flag without which the kernel does not send it. */
  readonly needs?: InitFlagName;
  /** Least minor of the session, where the kernel asks (`fuse_conn.minor`). */
  readonly sinceMinor?: number;
  /** File type that the reply's node must have (`create_new_entry`, `fuse_create_open`); `asked`: the one in the request. */
  readonly creates?: number | 'asked' | 'same';
}

type More = Omit<KernelRule, 'onBad' | 'by'>;
const refused = (by: string, more: More = {}): KernelRule => ({ onBad: 'refused', by, ...more });
const sent = (by: string, more: More = {}): KernelRule => ({ onBad: 'sent', by, ...more });

const S_IFDIR = 0x4000;
const S_IFREG = 0x8000;
const S_IFLNK = 0xa000;

/** The rows. ENOSYS stands where the kernel falls back to another operation: MKNOD and OPEN, COPY_FILE_RANGE, GETATTR. */
export const kernelRules: Readonly<Record<OperationName, KernelRule>> = {
  LOOKUP: refused('fuse_lookup'),
  FORGET: sent('fuse_evict_inode'),
  GETATTR: refused('fuse_getattr'),
  SETATTR: refused('fuse_setattr'),
  READLINK: refused('fuse_get_link'),
  SYMLINK: refused('create_new_entry', { creates: S_IFLNK }),
  MKNOD: refused('create_new_entry', { creates: 'asked' }),
  MKDIR: refused('create_new_entry', { creates: S_IFDIR }),
  UNLINK: refused('fuse_unlink'),
  RMDIR: refused('fuse_rmdir'),
  RENAME: refused('fuse_rename2'),
  RENAME2: refused('fuse_rename2', { unsupported: Errno.EINVAL, sinceMinor: 23 }),
  LINK: refused('create_new_entry', { creates: 'same' }),
  OPEN: refused('fuse_open', { unsupported: 0 }),
  OPENDIR: refused('fuse_dir_open', { unsupported: 0 }),
  READ: refused('fuse_file_read_iter'),
  WRITE: refused('fuse_file_write_iter'),
  STATFS: sent('fuse_statfs'),
  RELEASE: sent('fuse_file_release'),
  RELEASEDIR: sent('fuse_file_release'),
  FSYNC: refused('fuse_fsync', { unsupported: 0 }),
  FSYNCDIR: refused('fuse_dir_fsync', { unsupported: 0 }),
  SETXATTR: refused('fuse_xattr_set', { unsupported: Errno.EOPNOTSUPP }),
  GETXATTR: refused('fuse_xattr_get', { unsupported: Errno.EOPNOTSUPP }),
  LISTXATTR: refused('fuse_listxattr', { unsupported: Errno.EOPNOTSUPP }),
  REMOVEXATTR: refused('fuse_xattr_set', { unsupported: Errno.EOPNOTSUPP }),
  FLUSH: refused('fuse_flush', { unsupported: 0 }),
  INIT: sent('fuse_send_init'),
  READDIR: refused('fuse_readdir'),
  READDIRPLUS: refused('fuse_readdir', { needs: 'DO_READDIRPLUS' }),
  GETLK: sent('fuse_file_lock', { needs: 'POSIX_LOCKS' }),
  SETLK: sent('fuse_file_lock', { needs: 'POSIX_LOCKS' }),
  SETLKW: sent('fuse_file_lock', { needs: 'POSIX_LOCKS' }),
  ACCESS: refused('fuse_permission', { unsupported: 0 }),
  CREATE: refused('fuse_atomic_open', { creates: S_IFREG, unsupported: Errno.ENOSYS }),
  TMPFILE: refused('fuse_permission', { creates: S_IFREG, unsupported: Errno.EOPNOTSUPP }),
  INTERRUPT: sent('fuse_read_interrupt'),
  BMAP: sent('fuse_bmap', { unsupported: 0 }),
  DESTROY: sent('fuse_send_destroy'),
  IOCTL: refused('fuse_ioctl_common'),
  POLL: sent('fuse_file_poll', { unsupported: 0 }),
  NOTIFY_REPLY: sent('fuse_retrieve'),
  BATCH_FORGET: sent('fuse_evict_inode', { sinceMinor: 16 }),
  FALLOCATE: sent('fuse_file_fallocate', { unsupported: Errno.EOPNOTSUPP }),
  LSEEK: sent('fuse_lseek', { unsupported: 0 }),
  COPY_FILE_RANGE: sent('__fuse_copy_file_range', { unsupported: Errno.EOPNOTSUPP }),
  COPY_FILE_RANGE_64: sent('__fuse_copy_file_range', { unsupported: Errno.ENOSYS }),
  SETUPMAPPING: sent('fuse_setup_one_mapping'),
  REMOVEMAPPING: sent('fuse_send_removemapping'),
  SYNCFS: sent('fuse_sync_fs', { unsupported: 0 }),
  STATX: refused('fuse_getattr', { unsupported: Errno.ENOSYS }),
  CUSE_INIT: sent('cuse_send_init'),
};
