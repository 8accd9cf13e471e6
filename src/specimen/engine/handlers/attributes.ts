/** Handlers that show and set what a file is, and the whole file system's figures. */

import { Fattr, GetattrFlag } from '../../../protocol/flags.js';
import type { RequestFields } from '../../../protocol/operations.js';
import type { AttributesChange } from '../../store/change.js';
import { SIZE_MAX } from '../../store/data.js';
import { FileType, type Inode, sizeOf, type Time } from '../../store/inode.js';
import { NAME_MAX } from '../../store/names.js';
import { isRefusal, type Refusal, refuse } from '../../store/refusal.js';
import { attrOut, BLOCK_SIZE, blocksOf } from '../attributes.js';
import { type Call, done, type Handler, onNode } from '../handler.js';
import { handleOf, nodeOf, type Server } from '../server.js';

/** The file that a request is about: its handle's when it names one, else its node. */
const subject = (
  { server, header, fields }: Pick<Call<'STATX' | 'SETATTR'>, 'server' | 'header' | 'fields'>,
  namesHandle: boolean,
): Inode | Refusal => {
  if (!namesHandle) return nodeOf(server, header.nodeid);
  const handle = handleOf(server, fields.fh, header.nodeid);
  return isRefusal(handle) ? handle : handle.inode;
};

export const GETATTR: Handler<'GETATTR'> = (call) => {
  const { fh, getattrFlags } = call.fields;
  // Below minor 9 the request has no body at all.
  const namesHandle = fh !== undefined && (getattrFlags & GetattrFlag.FH) !== 0;
  const handle = namesHandle ? handleOf(call.server, fh, call.header.nodeid) : undefined;
  if (isRefusal(handle)) return handle;
  const inode = handle?.inode ?? nodeOf(call.server, call.header.nodeid);
  return isRefusal(inode) ? inode : attrOut(call.server, inode);
};

type Setting = RequestFields<'SETATTR'>;

const timeOf = (sec: bigint, nsec: number): Time | Refusal =>
  nsec < 1_000_000_000 ? { sec, nsec } : refuse('EINVAL');

const timesOf = (fields: Setting, now: Time): Partial<AttributesChange> | Refusal => {
  const { valid } = fields;
  const atime = (valid & Fattr.ATIME_NOW) !== 0 ? now : timeOf(fields.atime, fields.atimensec);
  const mtime = (valid & Fattr.MTIME_NOW) !== 0 ? now : timeOf(fields.mtime, fields.mtimensec);
  const ctime = (valid & Fattr.CTIME) !== 0 ? timeOf(fields.ctime, fields.ctimensec) : now;
  const wanted = {
    ...((valid & (Fattr.ATIME | Fattr.ATIME_NOW)) !== 0 && { atime }),
    ...((valid & (Fattr.MTIME | Fattr.MTIME_NOW)) !== 0 && { mtime }),
    ctime,
  };
  const times: Partial<AttributesChange> = {};
  for (const [name, time] of Object.entries(wanted)) {
    if (isRefusal(time)) return time;
    Object.assign(times, { [name]: time });
  }
  return times;
};

const sizeFor = (inode: Inode, size: bigint): Refusal | undefined => {
  if (inode.body.kind !== 'file') return refuse(inode.body.kind === 'directory' ? 'EISDIR' : 'EINVAL');
  return size > SIZE_MAX ? refuse('EFBIG') : undefined;
};

/** A change of size is a change of contents, and a change of owner or contents takes the set-id bits away when told so. */
const changeOf = (inode: Inode, fields: Setting, now: Time): AttributesChange | Refusal => {
  const { valid } = fields;
  const times = timesOf(fields, now);
  if (isRefusal(times)) return times;
  const resizes = (valid & Fattr.SIZE) !== 0;
  const refused = resizes ? sizeFor(inode, fields.size) : undefined;
  if (refused) return refused;
  const mode = (valid & Fattr.MODE) !== 0 ? fields.mode & 0o7777 : inode.mode & 0o7777;
  const kept = (valid & Fattr.KILL_SUIDGID) !== 0 ? mode & ~0o6000 : mode;
  return {
    kind: 'attributes',
    ino: inode.ino,
    ...(resizes && { size: Number(fields.size), mtime: now }),
    ...times,
    mode: (inode.mode & FileType.mask) | kept,
    ...((valid & Fattr.UID) !== 0 && { uid: fields.uid }),
    ...((valid & Fattr.GID) !== 0 && { gid: fields.gid }),
  };
};

export const SETATTR: Handler<'SETATTR'> = (call) => {
  const { server, fields } = call;
  const inode = subject(call, (fields.valid & Fattr.FH) !== 0);
  if (isRefusal(inode)) return inode;
  const change = changeOf(inode, fields, server.now());
  if (isRefusal(change)) return change;
  server.store.apply(change);
  return attrOut(server, inode);
};

/** STATX_BASIC_STATS of stat.h. */
const BASIC_STATS = 0x7ff;

const statxTime = ({ sec, nsec }: Time) => ({ tvSec: sec, tvNsec: nsec });

export const STATX: Handler<'STATX'> = (call) => {
  const inode = subject(call, (call.fields.getattrFlags & GetattrFlag.FH) !== 0);
  if (isRefusal(inode)) return inode;
  const { attrValid, attrValidNsec } = attrOut(call.server, inode);
  return { attrValid, attrValidNsec, stat: statxOf(inode) };
};

const statxOf = (inode: Inode) => ({
  mask: BASIC_STATS,
  blksize: BLOCK_SIZE,
  nlink: inode.nlink,
  uid: inode.uid,
  gid: inode.gid,
  mode: inode.mode,
  ino: BigInt(inode.ino),
  size: BigInt(sizeOf(inode)),
  blocks: BigInt(blocksOf(sizeOf(inode))),
  atime: statxTime(inode.atime),
  ctime: statxTime(inode.ctime),
  mtime: statxTime(inode.mtime),
  rdevMajor: (inode.rdev >> 8) & 0xfff,
  rdevMinor: (inode.rdev & 0xff) | ((inode.rdev >> 12) & 0xfff00),
});

export const READLINK: Handler<'READLINK'> = onNode((_call, inode) =>
  inode.body.kind === 'symlink' ? { target: inode.body.target } : refuse('EINVAL'),
);

/** Permissions are checked by the kernel (default_permissions). */
export const ACCESS: Handler<'ACCESS'> = onNode(() => done);

/** Figures that change with the number of inodes only, so that two incarnations agree. */
const figures = (server: Server) => ({
  blocks: 1n << 28n,
  bfree: 1n << 27n,
  bavail: 1n << 27n,
  files: 1n << 24n,
  ffree: (1n << 24n) - BigInt(server.store.count),
  bsize: BLOCK_SIZE,
  namelen: NAME_MAX,
  frsize: BLOCK_SIZE,
});

export const STATFS: Handler<'STATFS'> = onNode(({ server }) => ({ st: figures(server) }));
