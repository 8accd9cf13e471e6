/**
 * The structs of FUSE 7.45 (uapi/linux/fuse.h, as of Linux 6.18), field for field in the order of the wire. Field names
 * are the kernel's in camel case; reserved and padding fields stay, so that every byte of a frame survives a round trip.
 */

import {
  AttrFlag,
  CuseFlag,
  Fattr,
  Fopen,
  FsyncFlag,
  GetattrFlag,
  InitFlagsHigh,
  InitFlagsLow,
  InvalEntryFlag,
  IoctlFlag,
  LkFlag,
  OpenFlag,
  PollFlag,
  ReadFlag,
  ReleaseFlag,
  RenameFlag,
  SetupmappingFlag,
  SetxattrFlag,
  WriteFlag,
} from './flags.js';
import { bits, bits64, struct, vector } from './layout.js';

/** Header of every request. Before minor 38 `totalExtlen` and `padding` were one unused u32. */
export const inHeader = struct('fuse_in_header', {
  len: 'u32',
  opcode: 'u32',
  unique: 'unique',
  nodeid: 'node',
  uid: 'u32',
  gid: 'u32',
  pid: 'u32',
  totalExtlen: 'u16',
  padding: 'u16',
});

/** Header of every reply and notification; `unique` 0 marks a notification, whose code is in `error`. */
export const outHeader = struct('fuse_out_header', { len: 'u32', error: 'i32', unique: 'unique' });

/** Attributes of a node; the last two fields are missing below minor 9. */
export const attr = struct('fuse_attr', {
  ino: 'u64',
  size: 'u64',
  blocks: 'u64',
  atime: 'u64',
  mtime: 'u64',
  ctime: 'u64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'mode',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  rdev: 'u32',
  blksize: 'u32',
  flags: bits(AttrFlag),
});

/** A time of STATX. */
export const sxTime = struct('fuse_sx_time', { tvSec: 'i64', tvNsec: 'u32', reserved: 'i32' });

/** Attributes as STATX gives them. */
export const statx = struct('fuse_statx', {
  mask: 'u32',
  blksize: 'u32',
  attributes: 'u64',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  mode: 'u16',
  spare0: vector('u16', 1),
  ino: 'u64',
  size: 'u64',
  blocks: 'u64',
  attributesMask: 'u64',
  atime: sxTime,
  btime: sxTime,
  ctime: sxTime,
  mtime: sxTime,
  rdevMajor: 'u32',
  rdevMinor: 'u32',
  devMajor: 'u32',
  devMinor: 'u32',
  spare2: vector('u64', 14),
});

/** Figures of STATFS; 48 bytes below minor 4. */
export const kstatfs = struct('fuse_kstatfs', {
  blocks: 'u64',
  bfree: 'u64',
  bavail: 'u64',
  files: 'u64',
  ffree: 'u64',
  bsize: 'u32',
  namelen: 'u32',
  frsize: 'u32',
  padding: 'u32',
  spare: vector('u32', 6),
});

/** A byte-range lock. `end` is inclusive; `type` is F_RDLCK, F_WRLCK or F_UNLCK. */
export const fileLock = struct('fuse_file_lock', {
  start: 'offset',
  end: 'offset',
  type: 'choice',
  pid: 'u32',
});

/** A node given to the kernel; counts one lookup unless `nodeid` is 0. 120 bytes below minor 9. */
export const entryOut = struct('fuse_entry_out', {
  nodeid: 'node',
  generation: 'u64',
  entryValid: 'u64',
  attrValid: 'u64',
  entryValidNsec: 'u32',
  attrValidNsec: 'u32',
  attr,
});

/** Body of FORGET: how many lookups the kernel gives back. */
export const forgetIn = struct('fuse_forget_in', { nlookup: 'u64' });
/** One item of BATCH_FORGET. */
export const forgetOne = struct('fuse_forget_one', { nodeid: 'node', nlookup: 'u64' });
/** Start of BATCH_FORGET's body. */
export const batchForgetIn = struct('fuse_batch_forget_in', { count: 'u32', dummy: 'u32' });

/** Body of GETATTR from minor 9. */
export const getattrIn = struct('fuse_getattr_in', {
  getattrFlags: bits(GetattrFlag),
  dummy: 'u32',
  fh: 'handle',
});

/** Reply of GETATTR and SETATTR; 96 bytes below minor 9. */
export const attrOut = struct('fuse_attr_out', {
  attrValid: 'u64',
  attrValidNsec: 'u32',
  dummy: 'u32',
  attr,
});

/** Body of STATX. */
export const statxIn = struct('fuse_statx_in', {
  getattrFlags: bits(GetattrFlag),
  reserved: 'u32',
  fh: 'handle',
  sxFlags: 'u32',
  sxMask: 'u32',
});

/** Reply of STATX. */
export const statxOut = struct('fuse_statx_out', {
  attrValid: 'u64',
  attrValidNsec: 'u32',
  flags: 'u32',
  spare: vector('u64', 2),
  stat: statx,
});

/** Body of MKNOD; 8 bytes below minor 12. */
export const mknodIn = struct('fuse_mknod_in', { mode: 'mode', rdev: 'u32', umask: 'mode', padding: 'u32' });
/** Body of MKDIR. */
export const mkdirIn = struct('fuse_mkdir_in', { mode: 'mode', umask: 'mode' });
/** Body of RENAME. */
export const renameIn = struct('fuse_rename_in', { newdir: 'node' });
/** Body of RENAME2. */
export const rename2In = struct('fuse_rename2_in', {
  newdir: 'node',
  flags: bits(RenameFlag),
  padding: 'u32',
});
/** Body of LINK. */
export const linkIn = struct('fuse_link_in', { oldnodeid: 'node' });

/** Body of SETATTR; `valid` says which fields count. */
export const setattrIn = struct('fuse_setattr_in', {
  valid: bits(Fattr),
  padding: 'u32',
  fh: 'handle',
  size: 'length',
  lockOwner: 'owner',
  atime: 'u64',
  mtime: 'u64',
  ctime: 'u64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'mode',
  unused4: 'u32',
  uid: 'u32',
  gid: 'u32',
  unused5: 'u32',
});

/** Body of OPEN and OPENDIR; `flags` are O_* of the machine that recorded. */
export const openIn = struct('fuse_open_in', { flags: 'oflags', openFlags: bits(OpenFlag) });

/** Body of CREATE and TMPFILE; 8 bytes below minor 12. */
export const createIn = struct('fuse_create_in', {
  flags: 'oflags',
  mode: 'mode',
  umask: 'mode',
  openFlags: bits(OpenFlag),
});

/** A handle given to the kernel; `backingId` counts only with FOPEN_PASSTHROUGH. */
export const openOut = struct('fuse_open_out', {
  fh: 'handle',
  openFlags: bits(Fopen),
  backingId: 'i32',
});

/** Body of RELEASE and RELEASEDIR. */
export const releaseIn = struct('fuse_release_in', {
  fh: 'handle',
  flags: 'oflags',
  releaseFlags: bits(ReleaseFlag),
  lockOwner: 'owner',
});

/** Body of FLUSH. */
export const flushIn = struct('fuse_flush_in', {
  fh: 'handle',
  unused: 'u32',
  padding: 'u32',
  lockOwner: 'owner',
});

/** Body of READ, READDIR and READDIRPLUS. */
export const readIn = struct('fuse_read_in', {
  fh: 'handle',
  offset: 'offset',
  size: 'size',
  readFlags: bits(ReadFlag),
  lockOwner: 'owner',
  flags: 'oflags',
  padding: 'u32',
});

/** Body of WRITE before its data; 24 bytes below minor 9. */
export const writeIn = struct('fuse_write_in', {
  fh: 'handle',
  offset: 'offset',
  size: 'size',
  writeFlags: bits(WriteFlag),
  lockOwner: 'owner',
  flags: 'oflags',
  padding: 'u32',
});

/** Reply of WRITE and COPY_FILE_RANGE. */
export const writeOut = struct('fuse_write_out', { size: 'u32', padding: 'u32' });
/** Reply of STATFS; 48 bytes below minor 4. */
export const statfsOut = struct('fuse_statfs_out', { st: kstatfs });
/** Body of FSYNC and FSYNCDIR. */
export const fsyncIn = struct('fuse_fsync_in', {
  fh: 'handle',
  fsyncFlags: bits(FsyncFlag),
  padding: 'u32',
});

/** Body of SETXATTR before name and value; 8 bytes unless FUSE_SETXATTR_EXT was negotiated. */
export const setxattrIn = struct('fuse_setxattr_in', {
  size: 'size',
  flags: 'choice',
  setxattrFlags: bits(SetxattrFlag),
  padding: 'u32',
});

/** Body of GETXATTR (before the name) and LISTXATTR; `size` 0 asks only how long the answer would be. */
export const getxattrIn = struct('fuse_getxattr_in', { size: 'size', padding: 'u32' });
/** Reply of GETXATTR and LISTXATTR that asked with `size` 0. */
export const getxattrOut = struct('fuse_getxattr_out', { size: 'u32', padding: 'u32' });

/** Body of GETLK, SETLK and SETLKW. */
export const lkIn = struct('fuse_lk_in', {
  fh: 'handle',
  owner: 'owner',
  lk: fileLock,
  lkFlags: bits(LkFlag),
  padding: 'u32',
});
/** Reply of GETLK. */
export const lkOut = struct('fuse_lk_out', { lk: fileLock });
/** Body of ACCESS. */
export const accessIn = struct('fuse_access_in', { mask: 'choice', padding: 'u32' });

/** Body of INIT; kernels below minor 36 send the first 16 bytes. */
export const initIn = struct('fuse_init_in', {
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: bits(InitFlagsLow),
  flags2: bits(InitFlagsHigh),
  unused: vector('u32', 11),
});

/** Reply of INIT; 8 bytes below minor 5, 24 below minor 23. The kernel takes any shorter one as well. */
export const initOut = struct('fuse_init_out', {
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: bits(InitFlagsLow),
  maxBackground: 'u16',
  congestionThreshold: 'u16',
  maxWrite: 'u32',
  timeGran: 'u32',
  maxPages: 'u16',
  mapAlignment: 'u16',
  flags2: bits(InitFlagsHigh),
  maxStackDepth: 'u32',
  requestTimeout: 'u16',
  unused: vector('u16', 11),
});

/** Body of CUSE_INIT. */
export const cuseInitIn = struct('cuse_init_in', {
  major: 'u32',
  minor: 'u32',
  unused: 'u32',
  flags: bits(CuseFlag),
});

/** Reply of CUSE_INIT before its device info. */
export const cuseInitOut = struct('cuse_init_out', {
  major: 'u32',
  minor: 'u32',
  unused: 'u32',
  flags: bits(CuseFlag),
  maxRead: 'u32',
  maxWrite: 'u32',
  devMajor: 'u32',
  devMinor: 'u32',
  spare: vector('u32', 10),
});

/** Body of INTERRUPT: the request that it wants ended. */
export const interruptIn = struct('fuse_interrupt_in', { unique: 'unique' });
/** Body of BMAP. */
export const bmapIn = struct('fuse_bmap_in', { block: 'u64', blocksize: 'size', padding: 'u32' });
/** Reply of BMAP. */
export const bmapOut = struct('fuse_bmap_out', { block: 'u64' });

/** Body of IOCTL before its input. */
export const ioctlIn = struct('fuse_ioctl_in', {
  fh: 'handle',
  flags: bits(IoctlFlag),
  cmd: 'u32',
  arg: 'u64',
  inSize: 'size',
  outSize: 'size',
});
/** A piece of the caller's memory that a retried IOCTL wants. */
export const ioctlIovec = struct('fuse_ioctl_iovec', { base: 'u64', len: 'u64' });
/** Reply of IOCTL before its output, or before the iovecs of a retry. */
export const ioctlOut = struct('fuse_ioctl_out', {
  result: 'i32',
  flags: bits(IoctlFlag),
  inIovs: 'u32',
  outIovs: 'u32',
});

/** Body of POLL; `events` counts from minor 21. */
export const pollIn = struct('fuse_poll_in', {
  fh: 'handle',
  kh: 'u64',
  flags: bits(PollFlag),
  events: 'u32',
});
/** Reply of POLL. */
export const pollOut = struct('fuse_poll_out', { revents: 'u32', padding: 'u32' });

/** Body of FALLOCATE. */
export const fallocateIn = struct('fuse_fallocate_in', {
  fh: 'handle',
  offset: 'offset',
  length: 'length',
  mode: 'choice',
  padding: 'u32',
});
/** Body of LSEEK. */
export const lseekIn = struct('fuse_lseek_in', {
  fh: 'handle',
  offset: 'offset',
  whence: 'choice',
  padding: 'u32',
});
/** Reply of LSEEK. */
export const lseekOut = struct('fuse_lseek_out', { offset: 'u64' });

/** Body of COPY_FILE_RANGE and COPY_FILE_RANGE_64. */
export const copyFileRangeIn = struct('fuse_copy_file_range_in', {
  fhIn: 'handle',
  offIn: 'offset',
  nodeidOut: 'node',
  fhOut: 'handle',
  offOut: 'offset',
  len: 'length',
  flags: 'u64',
});
/** Reply of COPY_FILE_RANGE_64. */
export const copyFileRangeOut = struct('fuse_copy_file_range_out', { bytesCopied: 'u64' });

/** Body of SETUPMAPPING. */
export const setupmappingIn = struct('fuse_setupmapping_in', {
  fh: 'handle',
  foffset: 'offset',
  len: 'length',
  flags: bits64(SetupmappingFlag),
  moffset: 'offset',
});
/** Start of REMOVEMAPPING's body; 4 bytes, so that the items after it are not aligned. */
export const removemappingIn = struct('fuse_removemapping_in', { count: 'u32' });
/** One item of REMOVEMAPPING. */
export const removemappingOne = struct('fuse_removemapping_one', { moffset: 'offset', len: 'length' });
/** Body of SYNCFS. */
export const syncfsIn = struct('fuse_syncfs_in', { padding: 'u64' });

/** Fixed part of a record of READDIR. */
export const dirent = struct('fuse_dirent', { ino: 'u64', off: 'u64', namelen: 'u32', type: 'u32' });
/** Fixed part of a record of READDIRPLUS: `fuse_entry_out` and `fuse_dirent` in one. */
export const direntplus = struct('fuse_direntplus', { ...entryOut.fields, ...dirent.fields });

/** NOTIFY_POLL. */
export const notifyPollWakeupOut = struct('fuse_notify_poll_wakeup_out', { kh: 'u64' });
/** NOTIFY_INVAL_INODE; `ino` is a nodeid. `len` up to the end when 0 or less; attributes only when `off` is negative. */
export const notifyInvalInodeOut = struct('fuse_notify_inval_inode_out', {
  ino: 'node',
  off: 'i64',
  len: 'i64',
});
/** NOTIFY_INVAL_ENTRY before the name. */
export const notifyInvalEntryOut = struct('fuse_notify_inval_entry_out', {
  parent: 'node',
  namelen: 'u32',
  flags: bits(InvalEntryFlag),
});
/** NOTIFY_DELETE before the name. */
export const notifyDeleteOut = struct('fuse_notify_delete_out', {
  parent: 'node',
  child: 'node',
  namelen: 'u32',
  padding: 'u32',
});
/** NOTIFY_STORE before its data. */
export const notifyStoreOut = struct('fuse_notify_store_out', {
  nodeid: 'node',
  offset: 'u64',
  size: 'u32',
  padding: 'u32',
});
/** NOTIFY_RETRIEVE. */
export const notifyRetrieveOut = struct('fuse_notify_retrieve_out', {
  notifyUnique: 'unique',
  nodeid: 'node',
  offset: 'u64',
  size: 'u32',
  padding: 'u32',
});
/** Body of NOTIFY_REPLY before its data; shaped like `fuse_write_in`. */
export const notifyRetrieveIn = struct('fuse_notify_retrieve_in', {
  dummy1: 'u64',
  offset: 'offset',
  size: 'size',
  dummy2: 'u32',
  dummy3: 'u64',
  dummy4: 'u64',
});
/** NOTIFY_PRUNE before its nodeids. */
export const notifyPruneOut = struct('fuse_notify_prune_out', {
  count: 'u32',
  padding: 'u32',
  spare: 'u64',
});
/** One nodeid of NOTIFY_PRUNE (a bare u64 in the header file). */
export const pruneNode = struct('u64', { nodeid: 'node' });

/** Start of a request extension: its bytes, padding included, and its type (or, up to 31, its count of contexts). */
export const extHeader = struct('fuse_ext_header', { size: 'u32', type: 'u32' });
/** Start of one security context, before name and value. */
export const secctx = struct('fuse_secctx', { size: 'u32', padding: 'u32' });
/** Start of the supplementary groups, before the group ids. */
export const suppGroups = struct('fuse_supp_groups', { nrGroups: 'u32' });
