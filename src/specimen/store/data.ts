/** Reading, writing and moving the bytes of files by the rules of POSIX. */

import { Errno } from '../../base/errno.js';
import type { Content } from './content.js';
import type { Inode, Time } from './inode.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { Store } from './store.js';

/** Largest file, so that offsets stay exact as numbers: 2^50 bytes. */
export const SIZE_MAX = 2 ** 50;

/** A stretch of a file in bytes. */
export interface Stretch {
  readonly inode: Inode;
  readonly offset: bigint;
  readonly length: number;
}

/** The content of a file; EISDIR for a directory, EINVAL for what has none. */
export const contentOf = (inode: Inode): Content | Refusal => {
  if (inode.body.kind === 'file') return inode.body.content;
  return refuse(inode.body.kind === 'directory' ? 'EISDIR' : 'EINVAL');
};

/** Bytes of a stretch, fewer at the end of the file. */
export const read = ({ inode, offset, length }: Stretch): Uint8Array | Refusal => {
  const content = contentOf(inode);
  if (isRefusal(content)) return content;
  return offset >= BigInt(content.size) ? new Uint8Array(0) : content.read(Number(offset), length);
};

/** Where bytes go and which. */
export interface Writing {
  readonly inode: Inode;
  readonly offset: bigint;
  readonly bytes: Uint8Array;
  /** Writes at the end instead of at `offset` (O_APPEND). */
  readonly appends: boolean;
  readonly time: Time;
}

/** Writes all bytes; EFBIG. The number written. */
export const write = (store: Store, { inode, offset, bytes, appends, time }: Writing): number | Refusal => {
  const content = contentOf(inode);
  if (isRefusal(content)) return content;
  const at = appends ? BigInt(content.size) : offset;
  if (at + BigInt(bytes.length) > SIZE_MAX) return refuse('EFBIG');
  if (bytes.length === 0) return 0;
  store.apply({ kind: 'data', ino: inode.ino, offset: Number(at), bytes });
  store.apply({
    kind: 'attributes',
    ino: inode.ino,
    mtime: time,
    ctime: time,
    mode: withoutSetId(inode.mode),
  });
  return bytes.length;
};

/** Cuts or extends a file; EFBIG. */
export const resize = (store: Store, inode: Inode, size: bigint, time: Time): undefined | Refusal => {
  const content = contentOf(inode);
  if (isRefusal(content)) return content;
  if (size > SIZE_MAX) return refuse('EFBIG');
  store.apply({ kind: 'attributes', ino: inode.ino, size: Number(size), mtime: time, ctime: time });
  return undefined;
};

/** Bits of fallocate(2)'s mode, falloc.h. */
const Falloc = { keepSize: 1, punchHole: 2, zeroRange: 16 } as const;

/** fallocate(2): allocate, punch a hole, zero a range; EOPNOTSUPP for other modes. */
export const allocate = (
  store: Store,
  { inode, offset, length }: { readonly inode: Inode; readonly offset: bigint; readonly length: bigint },
  { mode, time }: { readonly mode: number; readonly time: Time },
): undefined | Refusal => {
  const content = contentOf(inode);
  if (isRefusal(content)) return content;
  if ((mode & ~(Falloc.keepSize | Falloc.punchHole | Falloc.zeroRange)) !== 0) return refuse('EOPNOTSUPP');
  if (length === 0n) return refuse('EINVAL');
  if (offset + length > SIZE_MAX) return refuse('EFBIG');
  if ((mode & (Falloc.punchHole | Falloc.zeroRange)) !== 0)
    store.apply({ kind: 'punch', ino: inode.ino, offset: Number(offset), length: Number(length) });
  const size = Math.max(content.size, Number(offset + length));
  const grows = (mode & Falloc.keepSize) === 0 && size > content.size;
  store.apply({ kind: 'attributes', ino: inode.ino, mtime: time, ctime: time, ...(grows && { size }) });
  return undefined;
};

/** Copies a stretch into another file; the number of bytes copied, fewer at the source's end. */
export const copy = (
  store: Store,
  from: Stretch,
  to: Omit<Writing, 'bytes' | 'appends'>,
): number | Refusal => {
  const bytes = read(from);
  return isRefusal(bytes) ? bytes : write(store, { ...to, bytes, appends: false });
};

/** Offset of the next data (SEEK_DATA 3) or hole (SEEK_HOLE 4); ENXIO behind the end, EINVAL for another whence. */
export const seek = (inode: Inode, offset: bigint, whence: number): number | Refusal => {
  const content = contentOf(inode);
  if (isRefusal(content)) return content;
  if (whence !== 3 && whence !== 4) return refuse('EINVAL');
  if (offset >= BigInt(content.size)) return { errno: Errno.ENXIO };
  return content.seek(Number(offset), whence === 3 ? 'data' : 'hole') ?? refuse('ENXIO');
};

/** A mode after a write by somebody who may not keep the bits: no set-user-id, no set-group-id of an executable. */
const withoutSetId = (mode: number): number => mode & ~0o4000 & ~((mode & 0o2010) === 0o2010 ? 0o2000 : 0);
