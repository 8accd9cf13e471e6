/** Extended attributes by the rules of setxattr(2) and its siblings. */

import { bytesOf } from '../../protocol/byte-string.js';
import type { Inode, Time } from './inode.js';
import { type Refusal, refuse } from './refusal.js';
import type { Store } from './store.js';

/** XATTR_SIZE_MAX of limits.h. */
const VALUE_MAX = 65536;

/** Flags of setxattr(2): XATTR_CREATE, XATTR_REPLACE. */
const SetFlag = { create: 1, replace: 2 } as const;

/** An attribute to set. */
export interface Attribute {
  readonly name: string;
  readonly value: Uint8Array;
  readonly flags: number;
}

/** The value; ENODATA. */
export const getXattr = (inode: Inode, name: string): Uint8Array | Refusal =>
  inode.xattrs?.get(name) ?? refuse('ENODATA');

/** All names, each followed by NUL, as LISTXATTR sends them. */
export const listXattrs = (inode: Inode): Uint8Array =>
  bytesOf([...(inode.xattrs?.keys() ?? [])].map((name) => `${name}\0`).join(''));

/** Sets a value; EEXIST, ENODATA, E2BIG, EINVAL. */
export const setXattr = (
  store: Store,
  inode: Inode,
  { name, value, flags }: Attribute,
  time: Time,
): undefined | Refusal => {
  if (name === '') return refuse('EINVAL');
  if (value.length > VALUE_MAX) return refuse('E2BIG');
  const exists = inode.xattrs?.has(name) ?? false;
  if (exists && (flags & SetFlag.create) !== 0) return refuse('EEXIST');
  if (!exists && (flags & SetFlag.replace) !== 0) return refuse('ENODATA');
  store.apply({ kind: 'xattr', ino: inode.ino, name, value });
  store.apply({ kind: 'attributes', ino: inode.ino, ctime: time });
  return undefined;
};

/** Removes a value; ENODATA. */
export const removeXattr = (store: Store, inode: Inode, name: string, time: Time): undefined | Refusal => {
  if (!inode.xattrs?.has(name)) return refuse('ENODATA');
  store.apply({ kind: 'xattr', ino: inode.ino, name, value: undefined });
  store.apply({ kind: 'attributes', ino: inode.ino, ctime: time });
  return undefined;
};
