/** Handlers of extended attributes. Setting one of them, `user.memfs.notify`, is an order to send a notification. */

import { isRefusal, type Refusal, refuse } from '../../store/refusal.js';
import { getXattr, listXattrs, removeXattr, setXattr } from '../../store/xattrs.js';
import { type Answer, done, type Handler, onNode } from '../handler.js';
import { NOTIFY_XATTR, sendOrdered } from '../orders.js';

/** A value, or only its length when that was asked for; ERANGE when it does not fit. */
const sized = (value: Uint8Array | Refusal, size: number): Answer<'GETXATTR'> => {
  if (isRefusal(value)) return value;
  if (size === 0) return { size: value.length };
  return value.length > size ? refuse('ERANGE') : { value };
};

export const GETXATTR: Handler<'GETXATTR'> = onNode(({ fields }, inode) =>
  sized(getXattr(inode, fields.name), fields.size),
);

export const LISTXATTR: Handler<'LISTXATTR'> = onNode(({ fields }, inode) =>
  sized(listXattrs(inode), fields.size),
);

export const SETXATTR: Handler<'SETXATTR'> = onNode(({ server, header, fields }, inode) => {
  if (fields.name === NOTIFY_XATTR)
    return sendOrdered(server, { inode, nodeid: header.nodeid }, fields.value) ?? done;
  const { name, flags } = fields;
  // The request's bytes are only ours until the next one is read.
  const value = fields.value.slice();
  return setXattr(server.store, inode, { name, value, flags }, server.now()) ?? done;
});

export const REMOVEXATTR: Handler<'REMOVEXATTR'> = onNode(
  ({ server, fields }, inode) => removeXattr(server.store, inode, fields.name, server.now()) ?? done,
);
