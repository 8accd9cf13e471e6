/**
 * The server that bugs are planted in: memfs with its safest policies, and deaf to what a kernel never says. A twin is
 * this and nothing else, so whoever finds fault with a twin is mistaken.
 */

import { fileHandle } from '../../base/ids.js';
import type { Handler, Handlers } from '../engine/handler.js';
import { handleOf } from '../engine/server.js';
import type { NodeIds } from '../ids/node-ids.js';
import { isRefusal, refuse } from '../store/refusal.js';
import { isDirectory } from '../store/store.js';
import type { Policy } from './planted-bug.js';

/** Ids that mean nothing to any other incarnation, checked; a request that is sent again is answered again, not done again. */
export const safest: Policy = {
  ids: 'random',
  handles: 'random',
  unknown: 'estale',
  check: 'match',
  resent: 'recall',
  reusesInos: true,
};

/** Nodeids that never give back more lookups than were handed out: a FORGET that wants more is swallowed whole. */
export const countedNodes = (nodes: NodeIds): NodeIds => {
  const owed = new Map<bigint, bigint>();
  return {
    ...nodes,
    enter: (inode) => {
      const minted = nodes.enter(inode);
      owed.set(minted.nodeid, (owed.get(minted.nodeid) ?? 0n) + 1n);
      return minted;
    },
    forget: (nodeid, nlookup) => {
      const left = (owed.get(nodeid) ?? 0n) - nlookup;
      if (left < 0n) return false;
      if (left === 0n) owed.delete(nodeid);
      else owed.set(nodeid, left);
      return nodes.forget(nodeid, nlookup);
    },
  };
};

type OnOpenFile = 'RELEASE' | 'RELEASEDIR' | 'FLUSH' | 'FSYNC' | 'FSYNCDIR';

const only =
  <N extends OnOpenFile>(type: 'file' | 'directory', handler: Handler<N>): Handler<N> =>
  (call) => {
    const { server, header, fields } = call;
    const handle = handleOf(server, fileHandle(fields.fh), header.nodeid);
    if (isRefusal(handle)) return handle;
    return isDirectory(handle.inode) === (type === 'directory') ? handler(call) : refuse('EBADF');
  };

/** A second INIT would change the layout of replies under way. One that only asks for another major settles nothing. */
const onceInit =
  (handler: Handler<'INIT'>): Handler<'INIT'> =>
  (call) =>
    call.server.negotiated === undefined ? handler(call) : refuse('EINVAL');

/** Handlers that take a file's handle for nothing but a file, a directory's for nothing but a directory, and one INIT. */
export const carefulHandlers = (handlers: Handlers): Handlers => ({
  ...handlers,
  INIT: onceInit(handlers.INIT),
  RELEASE: only('file', handlers.RELEASE),
  FLUSH: only('file', handlers.FLUSH),
  FSYNC: only('file', handlers.FSYNC),
  RELEASEDIR: only('directory', handlers.RELEASEDIR),
  FSYNCDIR: only('directory', handlers.FSYNCDIR),
});
