import { expect, it } from 'vitest';
import { fieldAt } from '#relight/protocol/layout.js';
import * as structs from '#relight/protocol/structs.js';

// sizeof() of each struct by gcc on x86-64, from uapi/linux/fuse.h of Linux 6.18.
const sizes = {
  fuse_in_header: 40,
  fuse_out_header: 16,
  fuse_attr: 88,
  fuse_sx_time: 16,
  fuse_statx: 256,
  fuse_kstatfs: 80,
  fuse_file_lock: 24,
  fuse_entry_out: 128,
  fuse_forget_in: 8,
  fuse_forget_one: 16,
  fuse_batch_forget_in: 8,
  fuse_getattr_in: 16,
  fuse_attr_out: 104,
  fuse_statx_in: 24,
  fuse_statx_out: 288,
  fuse_mknod_in: 16,
  fuse_mkdir_in: 8,
  fuse_rename_in: 8,
  fuse_rename2_in: 16,
  fuse_link_in: 8,
  fuse_setattr_in: 88,
  fuse_open_in: 8,
  fuse_create_in: 16,
  fuse_open_out: 16,
  fuse_release_in: 24,
  fuse_flush_in: 24,
  fuse_read_in: 40,
  fuse_write_in: 40,
  fuse_write_out: 8,
  fuse_statfs_out: 80,
  fuse_fsync_in: 16,
  fuse_setxattr_in: 16,
  fuse_getxattr_in: 8,
  fuse_getxattr_out: 8,
  fuse_lk_in: 48,
  fuse_lk_out: 24,
  fuse_access_in: 8,
  fuse_init_in: 64,
  fuse_init_out: 64,
  cuse_init_in: 16,
  cuse_init_out: 72,
  fuse_interrupt_in: 8,
  fuse_bmap_in: 16,
  fuse_bmap_out: 8,
  fuse_ioctl_in: 32,
  fuse_ioctl_iovec: 16,
  fuse_ioctl_out: 16,
  fuse_poll_in: 24,
  fuse_poll_out: 8,
  fuse_fallocate_in: 32,
  fuse_lseek_in: 24,
  fuse_lseek_out: 8,
  fuse_copy_file_range_in: 56,
  fuse_copy_file_range_out: 8,
  fuse_setupmapping_in: 40,
  fuse_removemapping_in: 4,
  fuse_removemapping_one: 16,
  fuse_syncfs_in: 8,
  fuse_dirent: 24,
  fuse_direntplus: 152,
  fuse_notify_poll_wakeup_out: 8,
  fuse_notify_inval_inode_out: 24,
  fuse_notify_inval_entry_out: 16,
  fuse_notify_delete_out: 24,
  fuse_notify_store_out: 24,
  fuse_notify_retrieve_out: 32,
  fuse_notify_retrieve_in: 40,
  fuse_notify_prune_out: 16,
  u64: 8,
  fuse_ext_header: 8,
  fuse_secctx: 8,
  fuse_supp_groups: 4,
};

it('structs have the sizes of the C compiler', () => {
  const measured = Object.values(structs).map(({ name, size }) => [name, size]);
  expect(Object.fromEntries(measured)).toEqual(sizes);
});

it('fields are found by their path', () => {
  expect(fieldAt(structs.entryOut, 'attr.mode')).toMatchObject({ name: 'mode', offset: 100, size: 4 });
  expect(fieldAt(structs.statxOut, 'stat.mtime.tvNsec')).toMatchObject({ offset: 152, size: 4 });
  expect(fieldAt(structs.entryOut, 'attr.none')).toBeUndefined();
  expect(fieldAt(structs.entryOut, 'nodeid.none')).toBeUndefined();
});
