/** Bugs in what becomes of a request that the kernel sends again (FUSE_NOTIFY_RESEND, bit 63 of its unique). */

import { nodeId } from '../../base/ids.js';
import { holdsRequest, isResent, opcodeOf, plainUnique, setUnique, uniqueOf } from '../../protocol/header.js';
import { type OperationName, operationNamed } from '../../protocol/operations.js';
import { type Handler, type Handlers, onHandle } from '../engine/handler.js';
import { openOut } from '../engine/handlers/opening.js';
import { nodeOf } from '../engine/server.js';
import type { World } from '../memfs.js';
import { resize, write } from '../store/data.js';
import { isRefusal, refuse } from '../store/refusal.js';
import { type Meddling, withMessages } from './changing.js';
import type { PlantedBug } from './planted-bug.js';

const isResentOne = (request: Uint8Array): boolean => holdsRequest(request) && isResent(uniqueOf(request));

const under = (message: Uint8Array, unique: bigint): Uint8Array => {
  const copy = Uint8Array.from(message);
  setUnique(copy, unique);
  return copy;
};

/** Messages with the unique of one request, under another. */
const renamed = (messages: readonly Uint8Array[], from: bigint, to: bigint): readonly Uint8Array[] =>
  messages.map((message) => (uniqueOf(message) === from ? under(message, to) : message));

/** Takes a request that is sent again for a new one. */
const ignoringTheBit = (name: OperationName) => (): Meddling => (request, next) => {
  if (!isResentOne(request) || opcodeOf(request) !== operationNamed(name).opcode) return next(request);
  const unique = uniqueOf(request);
  const plain = plainUnique(unique);
  return renamed(next(under(request, plain)), plain, unique);
};

const droppingTheBit = (): Meddling => (request, next) => {
  const messages = next(request);
  if (!isResentOne(request)) return messages;
  return renamed(messages, uniqueOf(request), plainUnique(uniqueOf(request)));
};

const asserting =
  ({ die }: World): Meddling =>
  (request, next) => {
    if (isResentOne(request)) die('request is not in the table of those under way');
    return next(request);
  };

const O_APPEND = 0o2000;

/** WRITE to the end of a file that was opened for that, as a server does whose files others append to as well. */
const appending: Handler<'WRITE'> = onHandle(({ server, fields }, { inode, flags }) => {
  const { offset, data } = fields;
  const appends = ((fields.flags | flags) & O_APPEND) !== 0;
  const size = write(server.store, { inode, offset, bytes: data, appends, time: server.now() });
  return isRefusal(size) ? size : { size };
});

/** CREATE of a name that exists opens it, empty, as open(2) without O_EXCL does. */
const creating =
  ({ CREATE, LOOKUP }: Handlers): Handler<'CREATE'> =>
  (call) => {
    const made = CREATE(call);
    if (made !== refuse('EEXIST')) return made;
    const { server, header, fields } = call;
    const entry = LOOKUP({ server, header, fields: { name: fields.name } });
    if (entry === 'silent' || isRefusal(entry)) return entry;
    const inode = nodeOf(server, nodeId(entry.nodeid ?? 0n));
    if (isRefusal(inode)) return inode;
    return (
      resize(server.store, inode, 0n, server.now()) ?? { ...entry, ...openOut(server, inode, fields.flags) }
    );
  };

/** Bugs of requests that are sent again. */
export const resendBugs = [
  {
    name: 'resend-append',
    summary: 'a WRITE to a file opened with O_APPEND that is sent again appends again',
    fix: 'it is answered as before',
    mechanism: 'resend',
    verdicts: ['twice'],
    ops: ['WRITE'],
    parts: (fixed) => ({
      ...withMessages(fixed, ignoringTheBit('WRITE')),
      wrapHandlers: (handlers) => ({ ...handlers, WRITE: appending }),
    }),
  },
  {
    name: 'resend-exchange',
    summary: 'a RENAME2 with RENAME_EXCHANGE that is sent again exchanges back',
    fix: 'it is answered as before',
    mechanism: 'resend',
    verdicts: ['twice'],
    ops: ['RENAME2'],
    parts: (fixed) => withMessages(fixed, ignoringTheBit('RENAME2')),
  },
  {
    name: 'resend-create',
    summary: 'a CREATE that is sent again empties the file that it made',
    fix: 'the file that was made is opened as it is',
    mechanism: 'resend',
    verdicts: ['twice', 'lost'],
    ops: ['CREATE'],
    parts: (fixed) => ({
      ...withMessages(fixed, ignoringTheBit('CREATE')),
      wrapHandlers: (handlers) => ({ ...handlers, CREATE: creating(handlers) }),
    }),
  },
  {
    name: 'resend-aborts',
    summary: 'asserts that a request that is sent again is one that it has not answered',
    fix: 'it is served',
    mechanism: 'resend',
    verdicts: ['abort'],
    ops: [],
    parts: (fixed) => withMessages(fixed, asserting),
  },
  {
    name: 'resend-unique',
    summary:
      'a request that is sent again is answered without bit 63, which the kernel has made part of its unique',
    fix: 'the reply has the unique of its request',
    mechanism: 'resend',
    verdicts: ['malformed', 'hang'],
    ops: [],
    parts: (fixed) => withMessages(fixed, droppingTheBit),
  },
] as const satisfies readonly PlantedBug[];
