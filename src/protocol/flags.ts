/** Every flag set of FUSE 7.46 by name (uapi/linux/fuse.h), without the prefix that all names of a set share. */

/** Names of the bits of one field; the key order is the order of the bits. */
export type FlagSet = Readonly<Record<string, number>>;

/** FUSE_* bits of `fuse_init_in.flags` and `flags2` seen as one 64-bit number; bits 32 and up travel in `flags2`. */
export const InitFlag = {
  ASYNC_READ: 1n << 0n,
  POSIX_LOCKS: 1n << 1n,
  FILE_OPS: 1n << 2n,
  ATOMIC_O_TRUNC: 1n << 3n,
  EXPORT_SUPPORT: 1n << 4n,
  BIG_WRITES: 1n << 5n,
  DONT_MASK: 1n << 6n,
  SPLICE_WRITE: 1n << 7n,
  SPLICE_MOVE: 1n << 8n,
  SPLICE_READ: 1n << 9n,
  FLOCK_LOCKS: 1n << 10n,
  HAS_IOCTL_DIR: 1n << 11n,
  AUTO_INVAL_DATA: 1n << 12n,
  DO_READDIRPLUS: 1n << 13n,
  READDIRPLUS_AUTO: 1n << 14n,
  ASYNC_DIO: 1n << 15n,
  WRITEBACK_CACHE: 1n << 16n,
  NO_OPEN_SUPPORT: 1n << 17n,
  PARALLEL_DIROPS: 1n << 18n,
  HANDLE_KILLPRIV: 1n << 19n,
  POSIX_ACL: 1n << 20n,
  ABORT_ERROR: 1n << 21n,
  MAX_PAGES: 1n << 22n,
  CACHE_SYMLINKS: 1n << 23n,
  NO_OPENDIR_SUPPORT: 1n << 24n,
  EXPLICIT_INVAL_DATA: 1n << 25n,
  MAP_ALIGNMENT: 1n << 26n,
  SUBMOUNTS: 1n << 27n,
  HANDLE_KILLPRIV_V2: 1n << 28n,
  SETXATTR_EXT: 1n << 29n,
  INIT_EXT: 1n << 30n,
  INIT_RESERVED: 1n << 31n,
  SECURITY_CTX: 1n << 32n,
  HAS_INODE_DAX: 1n << 33n,
  CREATE_SUPP_GROUP: 1n << 34n,
  HAS_EXPIRE_ONLY: 1n << 35n,
  DIRECT_IO_ALLOW_MMAP: 1n << 36n,
  PASSTHROUGH: 1n << 37n,
  NO_EXPORT_SUPPORT: 1n << 38n,
  HAS_RESEND: 1n << 39n,
  ALLOW_IDMAP: 1n << 40n,
  OVER_IO_URING: 1n << 41n,
  REQUEST_TIMEOUT: 1n << 42n,
  HAS_IO_URING_BUFPOOL: 1n << 43n,
} as const;

/** Name of an INIT flag without its FUSE_ prefix. */
export type InitFlagName = keyof typeof InitFlag;

const half = (shift: bigint): FlagSet =>
  Object.fromEntries(
    Object.entries(InitFlag)
      .map(([name, bit]) => [name, Number((bit >> shift) & 0xffff_ffffn)] as const)
      .filter(([, bit]) => bit !== 0),
  );

/** INIT flags that travel in `flags`. */
export const InitFlagsLow: FlagSet = half(0n);
/** INIT flags that travel in `flags2`, as bits of that field. */
export const InitFlagsHigh: FlagSet = half(32n);

/** FOPEN_*: `fuse_open_out.open_flags`. */
export const Fopen = {
  DIRECT_IO: 1,
  KEEP_CACHE: 2,
  NONSEEKABLE: 4,
  CACHE_DIR: 8,
  STREAM: 16,
  NOFLUSH: 32,
  PARALLEL_DIRECT_WRITES: 64,
  PASSTHROUGH: 128,
  IO_URING_ZERO_COPY: 256,
} as const;

/** FATTR_*: `fuse_setattr_in.valid`. */
export const Fattr = {
  MODE: 1,
  UID: 2,
  GID: 4,
  SIZE: 8,
  ATIME: 16,
  MTIME: 32,
  FH: 64,
  ATIME_NOW: 128,
  MTIME_NOW: 256,
  LOCKOWNER: 512,
  CTIME: 1024,
  KILL_SUIDGID: 2048,
} as const;

/** FUSE_GETATTR_*: `getattr_flags` of GETATTR and STATX. */
export const GetattrFlag = { FH: 1 } as const;
/** FUSE_READ_*: `fuse_read_in.read_flags`. */
export const ReadFlag = { LOCKOWNER: 2 } as const;
/** FUSE_WRITE_*: `fuse_write_in.write_flags`. */
export const WriteFlag = { CACHE: 1, LOCKOWNER: 2, KILL_SUIDGID: 4 } as const;
/** FUSE_RELEASE_*: `fuse_release_in.release_flags`. */
export const ReleaseFlag = { FLUSH: 1, FLOCK_UNLOCK: 2 } as const;
/** FUSE_LK_*: `fuse_lk_in.lk_flags`. */
export const LkFlag = { FLOCK: 1 } as const;
/** FUSE_IOCTL_*: `flags` of both IOCTL structs. */
export const IoctlFlag = {
  COMPAT: 1,
  UNRESTRICTED: 2,
  RETRY: 4,
  '32BIT': 8,
  DIR: 16,
  COMPAT_X32: 32,
} as const;
/** FUSE_POLL_*: `fuse_poll_in.flags`. */
export const PollFlag = { SCHEDULE_NOTIFY: 1 } as const;
/** FUSE_FSYNC_*: `fuse_fsync_in.fsync_flags`. */
export const FsyncFlag = { FDATASYNC: 1 } as const;
/** FUSE_ATTR_*: `fuse_attr.flags`. */
export const AttrFlag = { SUBMOUNT: 1, DAX: 2 } as const;
/** FUSE_OPEN_*: `open_flags` of OPEN and CREATE requests. */
export const OpenFlag = { KILL_SUIDGID: 1 } as const;
/** FUSE_SETXATTR_*: `fuse_setxattr_in.setxattr_flags`. */
export const SetxattrFlag = { ACL_KILL_SGID: 1 } as const;
/** `fuse_notify_inval_entry_out.flags`. */
export const InvalEntryFlag = { EXPIRE_ONLY: 1 } as const;
/** FUSE_SETUPMAPPING_FLAG_*: `fuse_setupmapping_in.flags`. */
export const SetupmappingFlag = { WRITE: 1, READ: 2 } as const;
/** `cuse_init_in.flags` and `cuse_init_out.flags`. */
export const CuseFlag = { UNRESTRICTED_IOCTL: 1 } as const;
/** RENAME_*: `fuse_rename2_in.flags` (uapi/linux/fs.h). */
export const RenameFlag = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** Set in the unique of a request that the kernel sends again after FUSE_NOTIFY_RESEND (FUSE_UNIQUE_RESEND). */
export const UNIQUE_RESEND = 1n << 63n;
/** Set in the unique of an INTERRUPT; the rest is the unique it interrupts (FUSE_INT_REQ_BIT, fs/fuse/dev.c). */
export const UNIQUE_INTERRUPT = 1n;

/**
 * Names of the set bits joined by `|`, bits without a name in hexadecimal; `0` when none is set.
 */
export const flagText = (set: FlagSet, value: number): string => {
  const named = Object.entries(set).filter(([, bit]) => (value & bit) !== 0);
  const rest = named.reduce((left, [, bit]) => left & ~bit, value) >>> 0;
  const words = named.map(([name]) => name);
  if (rest !== 0) words.push(`0x${rest.toString(16)}`);
  return words.join('|') || '0';
};

/** Names of the INIT flags set in the 64-bit number, bits without a name as `bit N`. */
export const initFlagNames = (flags: bigint): string[] => {
  const byBit = new Map<bigint, string>(Object.entries(InitFlag).map(([name, bit]) => [bit, name]));
  return Array.from({ length: 64 }, (_, index) => index)
    .filter((index) => (flags & (1n << BigInt(index))) !== 0n)
    .map((index) => byBit.get(1n << BigInt(index)) ?? `bit ${index}`);
};
