/** Bugs in the replies that say no: the error path is the one that nobody tries. */

import { Errno } from '../../base/errno.js';
import { encodeError } from '../../protocol/encode.js';
import { errorOf, isNotification, OUT_HEADER_SIZE, uniqueOf } from '../../protocol/header.js';
import { u64At } from '../../protocol/raw.js';
import { attrOf, attrOut } from '../engine/attributes.js';
import type { Handler } from '../engine/handler.js';
import type { World } from '../memfs.js';
import { FileType } from '../store/inode.js';
import { refuse } from '../store/refusal.js';
import { ROOT_INO } from '../store/store.js';
import { type Meddling, withHandlers, withMessages } from './changing.js';
import { unfilled } from './memory.js';
import type { PlantedBug } from './planted-bug.js';

/** Whether a message says that an id is not known. */
const isStale = (message: Uint8Array): boolean =>
  !isNotification(message) && [-Errno.ESTALE, -Errno.EBADF].includes(errorOf(message));

/** Puts other messages in the place of each reply that says that an id is not known. */
const insteadOfStale =
  (replace: (reply: Uint8Array) => readonly Uint8Array[]) => (): Meddling => (request, next) =>
    next(request).flatMap((message) => (isStale(message) ? replace(message) : [message]));

/** Errors up to -512 are the kernel's own (fuse_dev_do_write, fs/fuse/dev.c). */
const ERRNO_OFFSET = 1000;

const outOfRange = insteadOfStale((reply) => [encodeError(uniqueOf(reply), errorOf(reply) - ERRNO_OFFSET)]);

const twice = insteadOfStale((reply) => [reply, reply]);

/** Bytes of a `fuse_attr_out`. */
const ATTR_OUT = 104;

const withBody = insteadOfStale((reply) => {
  const long = Buffer.concat([reply, new Uint8Array(ATTR_OUT)]);
  long.writeUInt32LE(OUT_HEADER_SIZE + ATTR_OUT, 0);
  return [long];
});

/** The buffer of the reply before is used again, with its header. */
const staleHeader = (): Meddling => {
  let last = 0n;
  return (request, next) => {
    const messages = next(request).map((message) =>
      isStale(message) ? encodeError(last, errorOf(message)) : message,
    );
    const [reply] = messages;
    if (reply !== undefined && !isNotification(reply)) last = uniqueOf(reply);
    return messages;
  };
};

/** Attributes in a struct that nobody filled in, but for the mode. */
const unfilledAttributes =
  (handler: Handler<'GETATTR'>, { heap, store }: World): Handler<'GETATTR'> =>
  (call) => {
    const root = store.find(ROOT_INO);
    const isKnown = call.server.nodes.find(call.header.nodeid) !== undefined;
    if (isKnown || root === undefined) return handler(call);
    const memory = unfilled(heap(), 32);
    const [ino, size, blocks, mtime] = [0, 8, 16, 24].map((at) => u64At(memory, at));
    const attr = { ...attrOf(root), mode: FileType.file | 0o644, nlink: 1, ino, size, blocks, mtime };
    return { ...attrOut(call.server, root), attr };
  };

/** A buffer that was freed when the file was closed. */
const readsFreed =
  (handler: Handler<'READ'>, { heap }: World): Handler<'READ'> =>
  (call) =>
    call.server.handles.find(call.fields.fh, undefined) === undefined
      ? { data: unfilled(heap(), Math.min(call.fields.size, 4096)) }
      : handler(call);

/** Bugs of replies. */
export const replyBugs = [
  {
    name: 'errno-out-of-range',
    summary: 'a stale id is answered with an error number of its own, beyond those that the kernel takes',
    fix: 'a stale id is ESTALE or EBADF',
    mechanism: 'reply format',
    verdicts: ['malformed'],
    ops: [],
    parts: (fixed) => withMessages(fixed, outOfRange),
  },
  {
    name: 'reply-twice',
    summary: 'a stale id is refused twice, by the check and by its caller',
    fix: 'there is one reply',
    mechanism: 'reply format',
    verdicts: ['malformed'],
    ops: [],
    parts: (fixed) => withMessages(fixed, twice),
  },
  {
    name: 'error-with-body',
    summary: 'a stale id is answered with an error and a body',
    fix: 'an error has no body',
    mechanism: 'reply format',
    verdicts: ['malformed'],
    ops: [],
    parts: (fixed) => withMessages(fixed, withBody),
  },
  {
    name: 'reply-wrong-unique',
    summary: 'a stale id is refused under the unique of the request before',
    fix: 'the reply has the unique of its request',
    mechanism: 'reply format',
    verdicts: ['malformed', 'hang'],
    ops: [],
    parts: (fixed) => withMessages(fixed, staleHeader),
  },
  {
    name: 'forget-answered',
    summary: 'a FORGET of an unknown node is answered with an error, as nothing may be',
    fix: 'a FORGET has no reply',
    mechanism: 'reply format',
    verdicts: ['malformed'],
    ops: ['FORGET'],
    parts: (fixed) =>
      withHandlers(fixed, ({ FORGET }) => ({
        FORGET: (call) =>
          call.server.nodes.find(call.header.nodeid) === undefined ? refuse('ESTALE') : FORGET(call),
      })),
  },
  {
    name: 'interrupt-answered',
    summary: 'an INTERRUPT of a request that is not under way is answered with an error',
    fix: 'it has no reply',
    mechanism: 'reply format',
    verdicts: ['malformed'],
    ops: ['INTERRUPT'],
    parts: (fixed) =>
      withHandlers(fixed, () => ({
        INTERRUPT: ({ server, fields }) => {
          if (!server.locks.cancel(fields.unique)) return refuse('ENOENT');
          server.answerLater(fields.unique, Errno.EINTR);
          return 'silent';
        },
      })),
  },
  {
    name: 'getattr-unfilled',
    summary: 'GETATTR of an unknown node answers with attributes that nobody filled in',
    fix: 'it is ESTALE',
    mechanism: 'unfilled reply',
    verdicts: ['leak', 'wrong-object'],
    ops: ['GETATTR'],
    parts: (fixed) =>
      withHandlers(fixed, ({ GETATTR }, world) => ({ GETATTR: unfilledAttributes(GETATTR, world) })),
  },
  {
    name: 'read-freed',
    summary: 'READ with an unknown handle answers with a buffer that was freed',
    fix: 'it is EBADF',
    mechanism: 'unfilled reply',
    verdicts: ['leak'],
    ops: ['READ'],
    parts: (fixed) => withHandlers(fixed, ({ READ }, world) => ({ READ: readsFreed(READ, world) })),
  },
] as const satisfies readonly PlantedBug[];
