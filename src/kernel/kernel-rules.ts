/**
 * What the kernel itself does with each operation, beyond the wire format: facts of fs/fuse in Linux 6.9 to 7.3, one row
 * per operation. The wire format is in `protocol/operations.ts`.
 */

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
  /** File type that the reply's node must have (`create_new_entry`, `fuse_create_open`); `asked`: the one in the request. */
  readonly creates?: number | 'asked' | 'same';
}

const refused = (by: string, creates?: number | 'asked' | 'same'): KernelRule =>
  creates === undefined ? { onBad: 'refused', by } : { onBad: 'refused', by, creates };
const sent = (by: string): KernelRule => ({ onBad: 'sent', by });

const S_IFDIR = 0x4000;
const S_IFREG = 0x8000;
const S_IFLNK = 0xa000;

/** The rows. */
export const kernelRules: Readonly<Record<OperationName, KernelRule>> = {
  LOOKUP: refused('fuse_lookup'),
  FORGET: sent('fuse_evict_inode'),
  GETATTR: refused('fuse_getattr'),
  SETATTR: refused('fuse_setattr'),
  READLINK: refused('fuse_get_link'),
  SYMLINK: refused('create_new_entry', S_IFLNK),
  MKNOD: refused('create_new_entry', 'asked'),
  MKDIR: refused('create_new_entry', S_IFDIR),
  UNLINK: refused('fuse_unlink'),
  RMDIR: refused('fuse_rmdir'),
  RENAME: refused('fuse_rename2'),
  RENAME2: refused('fuse_rename2'),
  LINK: refused('create_new_entry', 'same'),
  OPEN: refused('fuse_open'),
  OPENDIR: refused('fuse_dir_open'),
  READ: refused('fuse_file_read_iter'),
  WRITE: refused('fuse_file_write_iter'),
  STATFS: sent('fuse_statfs'),
  RELEASE: sent('fuse_file_release'),
  RELEASEDIR: sent('fuse_file_release'),
  FSYNC: refused('fuse_fsync'),
  FSYNCDIR: refused('fuse_dir_fsync'),
  SETXATTR: refused('fuse_xattr_set'),
  GETXATTR: refused('fuse_xattr_get'),
  LISTXATTR: refused('fuse_listxattr'),
  REMOVEXATTR: refused('fuse_xattr_set'),
  FLUSH: refused('fuse_flush'),
  INIT: sent('fuse_send_init'),
  READDIR: refused('fuse_readdir'),
  READDIRPLUS: refused('fuse_readdir'),
  GETLK: sent('fuse_file_lock'),
  SETLK: sent('fuse_file_lock'),
  SETLKW: sent('fuse_file_lock'),
  ACCESS: refused('fuse_permission'),
  CREATE: refused('fuse_atomic_open', S_IFREG),
  TMPFILE: refused('fuse_permission', S_IFREG),
  INTERRUPT: sent('fuse_read_interrupt'),
  BMAP: sent('fuse_bmap'),
  DESTROY: sent('fuse_send_destroy'),
  IOCTL: refused('fuse_ioctl_common'),
  POLL: sent('fuse_file_poll'),
  NOTIFY_REPLY: sent('fuse_retrieve'),
  BATCH_FORGET: sent('fuse_evict_inode'),
  FALLOCATE: sent('fuse_file_fallocate'),
  LSEEK: sent('fuse_lseek'),
  COPY_FILE_RANGE: sent('__fuse_copy_file_range'),
  COPY_FILE_RANGE_64: sent('__fuse_copy_file_range'),
  SETUPMAPPING: sent('fuse_setup_one_mapping'),
  REMOVEMAPPING: sent('fuse_send_removemapping'),
  SYNCFS: sent('fuse_sync_fs'),
  STATX: refused('fuse_getattr'),
  CUSE_INIT: sent('cuse_send_init'),
};
