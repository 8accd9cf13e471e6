/** Handlers that list directories. */

import { bytesOf } from '../../../protocol/byte-string.js';
import type { Draft } from '../../../protocol/encode.js';
import type { ReplyFields } from '../../../protocol/operations.js';
import { FileType, type Inode } from '../../store/inode.js';
import { entriesAfter } from '../../store/names.js';
import { refuse } from '../../store/refusal.js';
import { type Directory, isDirectory } from '../../store/store.js';
import { emptyEntry, entryOut } from '../attributes.js';
import { type Handler, onHandle } from '../handler.js';
import { replyLimit, type Server } from '../server.js';

/** Fixed bytes of `fuse_dirent` and `fuse_direntplus`; the name follows, padded to 8. */
const DIRENT = 24;
const DIRENTPLUS = 152;

/** The fields of a `fuse_dirent` that a server fills in. */
type Record = Pick<ReplyFields<'READDIR'>['entries'][number], 'ino' | 'off' | 'type' | 'name'>;

/** A record and the inode behind it. */
interface Listed {
  readonly record: Record;
  readonly inode: Inode;
}

const listed = (name: string, inode: Inode, cookie: number): Listed => ({
  record: {
    ino: BigInt(inode.ino),
    off: BigInt(cookie),
    type: (inode.mode & FileType.mask) >> 12,
    name,
  },
  inode,
});

/** Records from an offset on, "." and ".." first (cookies 1 and 2), made one by one since most are never asked for. */
function* records(server: Server, directory: Directory, offset: bigint): Generator<Listed> {
  const after = offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(offset);
  if (after < 1) yield listed('.', directory, 1);
  if (after < 2) yield listed('..', server.store.find(directory.body.parent) ?? directory, 2);
  for (const { name, ino, cookie } of entriesAfter(directory, after)) {
    const inode = server.store.find(ino);
    if (inode) yield listed(name, inode, cookie);
  }
}

const sizeWith = (fixed: number, { record }: Listed): number =>
  Math.ceil((fixed + bytesOf(record.name).length) / 8) * 8;

/** As many records as fit; when not even the first does, EINVAL as getdents(2) says. */
const fitting = (all: Iterable<Listed>, fixed: number, size: number): Listed[] | undefined => {
  const taken: Listed[] = [];
  let left = size;
  for (const one of all) {
    left -= sizeWith(fixed, one);
    if (left < 0) return taken.length === 0 ? undefined : taken;
    taken.push(one);
  }
  return taken;
};

export const READDIR: Handler<'READDIR'> = onHandle(({ server, fields }, { inode }) => {
  if (!isDirectory(inode)) return refuse('ENOTDIR');
  const taken = fitting(
    records(server, inode, fields.offset),
    DIRENT,
    Math.min(fields.size, replyLimit(server)),
  );
  return taken ? { entries: taken.map(({ record }) => record) } : refuse('EINVAL');
});

/** The kernel takes no lookup for "." and ".." (fuse_direntplus_link), so they carry no node. */
const plus = (
  server: Server,
  { record, inode }: Listed,
): Draft<ReplyFields<'READDIRPLUS'>['entries'][number]> => {
  const isDots = record.name === '.' || record.name === '..';
  return Object.assign(isDots ? emptyEntry(server, inode) : entryOut(server, inode), record);
};

export const READDIRPLUS: Handler<'READDIRPLUS'> = onHandle(({ server, fields }, { inode }) => {
  if (!isDirectory(inode)) return refuse('ENOTDIR');
  const taken = fitting(
    records(server, inode, fields.offset),
    DIRENTPLUS,
    Math.min(fields.size, replyLimit(server)),
  );
  return taken ? { entries: taken.map((one) => plus(server, one)) } : refuse('EINVAL');
});
