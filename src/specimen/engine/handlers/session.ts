/** Handlers that begin and end a session, and those that take lookups back. */

import { Errno } from '../../../base/errno.js';
import type { NodeId } from '../../../base/ids.js';
import { InitFlag, type InitFlagName } from '../../../protocol/flags.js';
import { initFlags, negotiatedFrom } from '../../../protocol/negotiated.js';
import type { RequestFields } from '../../../protocol/operations.js';
import { done, type Handler } from '../handler.js';
import type { Manner, Server } from '../server.js';

/** What this server can do; it is answered with those of them that the kernel offers. */
const wanted: readonly InitFlagName[] = [
  'ASYNC_READ',
  'POSIX_LOCKS',
  'ATOMIC_O_TRUNC',
  'EXPORT_SUPPORT',
  'BIG_WRITES',
  'DONT_MASK',
  'FLOCK_LOCKS',
  'HAS_IOCTL_DIR',
  'AUTO_INVAL_DATA',
  'DO_READDIRPLUS',
  'READDIRPLUS_AUTO',
  'ASYNC_DIO',
  'PARALLEL_DIROPS',
  'ABORT_ERROR',
  'MAX_PAGES',
  'CACHE_SYMLINKS',
  'SETXATTR_EXT',
  'INIT_EXT',
  'CREATE_SUPP_GROUP',
  'HAS_EXPIRE_ONLY',
  'HAS_RESEND',
];

const wantedFlags = wanted.reduce((flags, name) => flags | InitFlag[name], 0n);

const PAGE = 4096;
/** The last minor whose INIT reply has no room for flags2. */
const NO_FLAGS2_BELOW = 23;

const initReply = (request: RequestFields<'INIT'>, manner: Manner) => {
  const minor = Math.min(request.minor, manner.minor);
  const offered = initFlags(request);
  const flags =
    offered & (minor < NO_FLAGS2_BELOW ? wantedFlags & 0xffff_ffffn & ~InitFlag.INIT_EXT : wantedFlags);
  return {
    major: 7,
    minor,
    maxReadahead: request.maxReadahead,
    flags: Number(flags & 0xffff_ffffn),
    maxBackground: 16,
    congestionThreshold: 12,
    maxWrite: manner.maxWrite,
    timeGran: 1,
    maxPages: (flags & InitFlag.MAX_PAGES) === 0n ? 0 : Math.ceil(manner.maxWrite / PAGE),
    flags2: Number(flags >> 32n),
  };
};

/** A kernel of a newer major is told ours and asks again; one of an older major cannot be served. */
export const INIT: Handler<'INIT'> = ({ server, fields }) => {
  if (fields.major < 7) return { errno: Errno.EPROTO };
  const reply = initReply(fields, server.manner);
  if (fields.major === 7) server.negotiated = negotiatedFrom(fields, reply);
  return reply;
};

export const DESTROY: Handler<'DESTROY'> = () => done;

export const SYNCFS: Handler<'SYNCFS'> = () => done;

/** A wrong FORGET gets no reply, so it is swallowed, or it ends a server that asserts. */
const forget = (server: Server, nodeid: NodeId, nlookup: bigint): void => {
  if (server.nodes.forget(nodeid, nlookup) || server.manner.unknownNode !== 'abort') return;
  server.die(`forget of node ${nodeid} that was not looked up`);
};

export const FORGET: Handler<'FORGET'> = ({ server, header, fields }) => {
  forget(server, header.nodeid, fields.nlookup);
  return 'silent';
};

export const BATCH_FORGET: Handler<'BATCH_FORGET'> = ({ server, fields }) => {
  for (const { nodeid, nlookup } of fields.items) forget(server, nodeid, nlookup);
  return 'silent';
};

/** Only a SETLKW can be interrupted: everything else is answered before the next request is read. */
export const INTERRUPT: Handler<'INTERRUPT'> = ({ server, fields }) => {
  if (server.locks.cancel(fields.unique)) server.answerLater(fields.unique, Errno.EINTR);
  return 'silent';
};

/** The kernel's answer to RETRIEVE: nothing is done with it. */
export const NOTIFY_REPLY: Handler<'NOTIFY_REPLY'> = () => 'silent';
