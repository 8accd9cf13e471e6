/** The ids that many rows of the operation table share, so that a row can say `[node, opened]`. */

import { Fattr, GetattrFlag, ReadFlag, ReleaseFlag, WriteFlag } from './flags.js';
import type { IdAct, IdKind, IdUse } from './operation.js';

const inRequest = (kind: IdKind, act: IdAct, field: string, more: Partial<IdUse> = {}): IdUse => ({
  side: 'request',
  part: 'body',
  kind,
  act,
  field,
  ...more,
});

const inReply = (kind: IdKind, act: IdAct, field: string, more: Partial<IdUse> = {}): IdUse => ({
  side: 'reply',
  part: 'body',
  kind,
  act,
  field,
  ...more,
});

/** A field of a request's body that relies on an id. */
export const uses = (kind: IdKind, field: string, more: Partial<IdUse> = {}): IdUse =>
  inRequest(kind, 'use', field, more);
/** A field of a request's body in which the kernel mints an id. */
export const mints = (kind: IdKind, field: string, more: Partial<IdUse> = {}): IdUse =>
  inRequest(kind, 'create', field, more);
/** A field of a request's body that ends an id. */
export const releases = (kind: IdKind, field: string, more: Partial<IdUse> = {}): IdUse =>
  inRequest(kind, 'release', field, more);
/** A field of a notification. */
export const notifies = (kind: IdKind, field: string, more: Partial<IdUse> = {}): IdUse => ({
  ...inRequest(kind, 'use', field, more),
  side: 'notification',
});

/** The request is about the node in its header. */
export const node: IdUse = { side: 'request', part: 'header', kind: 'node', act: 'use', field: 'nodeid' };
/** The node in the header is a directory. */
export const ofDirectory: IdUse = { ...node, type: 'directory' };
/** The node in the header is a regular file. */
export const ofFile: IdUse = { ...node, type: 'file' };
/** The node in the header is a symbolic link. */
export const ofLink: IdUse = { ...node, type: 'symlink' };
/** The unique in the header, where it is not a new one. */
export const ownUnique: IdUse = { ...node, kind: 'unique', field: 'unique' };
/** FORGET gives lookups of the node in its header back. */
export const forgotten: IdUse = { ...node, act: 'release', count: 'nlookup' };
/** BATCH_FORGET does so for many. */
export const forgottenEach = releases('node', 'nodeid', { each: 'items', count: 'nlookup' });

/** The reply gives a node, unless its nodeid is 0 (a negative entry). */
export const entry = inReply('node', 'create', 'nodeid', { none: 0n, generation: 'generation' });
/** Every record of READDIRPLUS gives a node, except those with nodeid 0, "." and "..". */
export const entryEach: IdUse = { ...entry, each: 'entries', exceptNames: ['.', '..'] };
/** The reply gives a handle. */
export const opened = inReply('handle', 'create', 'fh');
/** Every directory record gives the position after it. */
export const cookieEach = inReply('cookie', 'create', 'off', { each: 'entries' });

/** The request is about an open file or directory. */
export const handle = uses('handle', 'fh');
/** The request closes it. */
export const closed = releases('handle', 'fh');
/** GETATTR and STATX name a handle only when they say so. */
export const handleOfGetattr = uses('handle', 'fh', {
  when: { field: 'getattrFlags', mask: GetattrFlag.FH },
});
/** SETATTR names a handle only when `valid` says so. */
export const handleOfSetattr = uses('handle', 'fh', { when: { field: 'valid', mask: Fattr.FH } });
/** A DAX mapping may go without a handle: all bits set. */
export const handleOfMapping = uses('handle', 'fh', { none: 0xffff_ffff_ffff_ffffn });
/** READDIR continues where an earlier record ended; 0 is the start. */
export const cookie = uses('cookie', 'offset', { none: 0n });

/** SETATTR by truncate(2) under a mandatory lock. */
export const ownerOfSetattr = uses('owner', 'lockOwner', { when: { field: 'valid', mask: Fattr.LOCKOWNER } });
/** READ under a lock. */
export const ownerOfRead = uses('owner', 'lockOwner', {
  when: { field: 'readFlags', mask: ReadFlag.LOCKOWNER },
});
/** WRITE under a lock. */
export const ownerOfWrite = uses('owner', 'lockOwner', {
  when: { field: 'writeFlags', mask: WriteFlag.LOCKOWNER },
});
/** FLUSH drops the POSIX locks of its owner, who may go on and take others. */
export const ownerOfFlush = uses('owner', 'lockOwner');
/** RELEASE ends the owner of flock(2) locks. */
export const ownerOfRelease = releases('owner', 'lockOwner', {
  when: { field: 'releaseFlags', mask: ReleaseFlag.FLOCK_UNLOCK },
});
/** Lock requests name their owner. */
export const owner = uses('owner', 'owner');
