/** Notifications from the server and what they do to the caches (fs/fuse/notify.c). Nothing is sent from here. */

import { Errno } from '../base/errno.js';
import type { NodeId } from '../base/ids.js';
import { bytesOf } from '../protocol/byte-string.js';
import { decodeNotification, type KnownNotification } from '../protocol/decode.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { NotificationName } from '../protocol/notifications.js';
import { type Cache, DIRECTORY_TYPE, type Place } from './cache.js';

const S_IFREG = 0x8000;
const EXPIRE_ONLY = 1;
/** FUSE_NAME_LOW_MAX, the limit without large requests. */
const LONGEST_NAME = 1024;

type Handlers = { readonly [N in NotificationName]: (cache: Cache, message: KnownNotification<N>) => number };

const directoryAt = (cache: Cache, id: NodeId): number | { errno: number } => {
  const node = cache.nodes.find(id);
  if (node === undefined) return { errno: Errno.ENOENT };
  return cache.nodes.typeOf(node) === DIRECTORY_TYPE ? node : { errno: Errno.ENOTDIR };
};

const regularAt = (cache: Cache, id: NodeId): number => {
  const node = cache.nodes.find(id);
  if (node === undefined) return Errno.ENOENT;
  return cache.nodes.typeOf(node) === S_IFREG ? 0 : Errno.EINVAL;
};

/** Dentry of a name; an errno when the kernel has none. */
const dentryAt = (cache: Cache, parent: NodeId, text: string): { dentry: number } | { errno: number } => {
  const bytes = bytesOf(text);
  if (bytes.length > LONGEST_NAME) return { errno: Errno.ENAMETOOLONG };
  const directory = directoryAt(cache, parent);
  if (typeof directory !== 'number') return directory;
  const name = cache.names.find(bytes);
  const place: Place | undefined = name === undefined ? undefined : { parent: directory, name };
  const dentry = place && cache.dentries.find(place.parent, place.name);
  return dentry === undefined ? { errno: Errno.ENOENT } : { dentry };
};

/** FUSE_NOTIFY_DELETE: only the child that the server means, and not a directory with names left (ENOTEMPTY). */
const remove = (cache: Cache, dentry: number, child: NodeId): number => {
  const node = cache.dentries.nodeOf(dentry);
  if (child === 0n || node === undefined) {
    cache.drop(dentry);
    return 0;
  }
  if (cache.nodes.idOf(node) !== child) return Errno.ENOENT;
  cache.drop(dentry);
  return 0;
};

const handlers: Handlers = {
  POLL: () => 0,
  INVAL_INODE: (cache, { fields }) => (cache.nodes.find(fields.ino) === undefined ? Errno.ENOENT : 0),
  INVAL_ENTRY: (cache, { fields }) => {
    const found = dentryAt(cache, fields.parent, fields.name);
    if ('errno' in found) return found.errno;
    if ((fields.flags & EXPIRE_ONLY) === 0) cache.drop(found.dentry);
    return 0;
  },
  STORE: (cache, { fields }) => regularAt(cache, fields.nodeid),
  RETRIEVE: (cache, { fields }) => regularAt(cache, fields.nodeid),
  DELETE: (cache, { fields }) => {
    const found = dentryAt(cache, fields.parent, fields.name);
    return 'errno' in found ? found.errno : remove(cache, found.dentry, fields.child);
  },
  RESEND: () => 0,
  INC_EPOCH: (cache) => {
    cache.epoch++;
    return 0;
  },
  PRUNE: (cache, { fields }) => {
    for (const { nodeid } of fields.nodes) {
      const node = cache.nodes.find(nodeid);
      if (node !== undefined) cache.prune(node);
    }
    return 0;
  },
};

const handle = <N extends NotificationName>(cache: Cache, message: KnownNotification<N>): number =>
  handlers[message.name](cache, message);

/** What a notification came to. */
export interface Notice {
  readonly name: NotificationName;
  /** 0 or a positive errno, which the server's write gives. */
  readonly errno: number;
  /** Poll handle to wake. */
  readonly kh: bigint | undefined;
}

/** Carries a notification out; `undefined` for an unknown code or a body of the wrong length, which give EINVAL. */
export const applyNotification = (
  cache: Cache,
  bytes: Uint8Array,
  negotiated: Negotiated,
): Notice | undefined => {
  const message = decodeNotification(bytes, negotiated);
  if (message.kind === 'decodeError' || message.name === undefined) return undefined;
  const kh = message.name === 'POLL' ? message.fields.kh : undefined;
  return { name: message.name, errno: handle(cache, message), kh };
};
