/** Bugs in believing what a message says of itself: its length, a count, the end of a name, an offset. */

import { holdsRequest, IN_HEADER_SIZE, lengthOf, opcodeOf } from '../../protocol/header.js';
import { hasFlag, type Negotiated } from '../../protocol/negotiated.js';
import { type OperationName, operationOf } from '../../protocol/operations.js';
import { u32At } from '../../protocol/raw.js';
import type { Handler } from '../engine/handler.js';
import { replyLimit } from '../engine/server.js';
import type { Heap } from '../ids/heap.js';
import type { World } from '../memfs.js';
import { type Meddling, withHandlers, withMessages } from './changing.js';
import { followGarbage, unfilled } from './memory.js';
import type { Parts, PlantedBug } from './planted-bug.js';

/** Whether the bytes are a request of one of the operations. */
const isOne = (request: Uint8Array, names: readonly OperationName[]): boolean => {
  const name = holdsRequest(request) ? operationOf(opcodeOf(request))?.name : undefined;
  return name !== undefined && names.some((one) => one === name);
};

/** Bytes of a `fuse_forget_one`. */
const FORGET_ONE = 16;
/** Where the records of a BATCH_FORGET begin, behind `fuse_batch_forget_in`. */
const FORGETS = IN_HEADER_SIZE + 8;

const countTrusted =
  ({ heap }: World): Meddling =>
  (request, next) => {
    const records = Math.floor((request.length - FORGETS) / FORGET_ONE);
    if (isOne(request, ['BATCH_FORGET']) && u32At(request, IN_HEADER_SIZE) > records) followGarbage(heap());
    return next(request);
  };

const lengthTrusted =
  ({ heap }: World): Meddling =>
  (request, next) => {
    if (holdsRequest(request) && lengthOf(request) > request.length) followGarbage(heap());
    return next(request);
  };

/** Operations whose request is one name and nothing else. */
const named: readonly OperationName[] = ['LOOKUP', 'UNLINK', 'RMDIR', 'REMOVEXATTR'];

const endTrusted =
  ({ heap }: World): Meddling =>
  (request, next) => {
    if (isOne(request, named) && request.indexOf(0, IN_HEADER_SIZE) < 0) followGarbage(heap());
    return next(request);
  };

/** The request with as much of the server's own memory behind it as makes `missing` bytes; the header agrees. */
const completed = (request: Uint8Array, missing: number, { heap, phase }: { heap: Heap; phase: number }) => {
  const whole = Buffer.concat([request, unfilled(heap, missing, phase)]);
  whole.writeUInt32LE(whole.length, 0);
  return whole;
};

/** Where a message says how many bytes of data it has, and where they begin. */
interface Counted {
  readonly claimed: number;
  readonly start: number;
}

/** Takes data that a request says to have, but has not, from the memory behind it; more than `most` is not mapped. */
const completing =
  (find: (request: Uint8Array) => Counted | undefined, most: number) =>
  ({ heap }: World): Meddling =>
  (request, next) => {
    const counted = find(request);
    if (counted === undefined) return next(request);
    const has = request.length - counted.start;
    const missing = counted.claimed - has;
    if (has < 0 || missing <= 0) return next(request);
    if (missing > most) followGarbage(heap());
    return next(completed(request, missing, { heap: heap(), phase: has }));
  };

/** `fuse_write_in.size`, and the bytes of that struct. */
const WRITE_SIZE = IN_HEADER_SIZE + 16;
const WRITE_DATA = IN_HEADER_SIZE + 40;

const writeSize = completing(
  (request) =>
    isOne(request, ['WRITE']) ? { claimed: u32At(request, WRITE_SIZE), start: WRITE_DATA } : undefined,
  1 << 20,
);

/** `fuse_setxattr_in` is longer since SETXATTR_EXT. */
const nameStart = (negotiated: Negotiated): number =>
  IN_HEADER_SIZE + (hasFlag(negotiated, 'SETXATTR_EXT') ? 16 : 8);

const setxattrSize = (fixed: boolean): Partial<Parts> => {
  let negotiated: Negotiated | undefined;
  const find = (request: Uint8Array): Counted | undefined => {
    const end = isOne(request, ['SETXATTR']) && negotiated ? request.indexOf(0, nameStart(negotiated)) : -1;
    return end < 0 ? undefined : { claimed: u32At(request, IN_HEADER_SIZE), start: end + 1 };
  };
  return {
    ...withMessages(fixed, completing(find, 1 << 16)),
    wrapHandlers: (handlers) => ({
      ...handlers,
      INIT: (call) => {
        const answer = handlers.INIT(call);
        negotiated = call.server.negotiated;
        return answer;
      },
    }),
  };
};

/** Offsets are signed in C: those from here on are negative. */
const NEGATIVE = 1n << 63n;

const indexesBackwards =
  <N extends 'READDIR' | 'READDIRPLUS'>(handler: Handler<N>, { heap }: World): Handler<N> =>
  (call) => {
    if (call.fields.offset >= NEGATIVE) followGarbage(heap());
    return handler(call);
  };

/** Before the file in memory lies something else. */
const readsBackwards =
  (handler: Handler<'READ'>, { heap }: World): Handler<'READ'> =>
  (call) => {
    const { offset, size } = call.fields;
    const answer = handler(call);
    if (offset < NEGATIVE || 'errno' in Object(answer)) return answer;
    return { data: unfilled(heap(), Math.min(size, 4096)) };
  };

/** Below this a buffer is not worth having. */
const LEAST_BUFFER = 4096;

const roundsUp =
  <N extends 'READDIR' | 'READDIRPLUS'>(handler: Handler<N>): Handler<N> =>
  (call) => {
    const size = Math.min(Math.max(call.fields.size, LEAST_BUFFER), replyLimit(call.server));
    return handler({ ...call, fields: { ...call.fields, size } });
  };

/** Bugs of messages that are not what they say. */
export const messageBugs = [
  {
    name: 'batch-forget-count',
    summary: 'the count of a BATCH_FORGET is trusted, and records behind the end are followed as pointers',
    fix: 'a count that does not fit the message is ignored with it',
    mechanism: 'count trusted',
    verdicts: ['crash'],
    ops: ['BATCH_FORGET'],
    parts: (fixed) => withMessages(fixed, countTrusted),
  },
  {
    name: 'header-length',
    summary: "the header's length is trusted, and what a longer one promises is read from behind the message",
    fix: 'a length that is not that of the message is EINVAL',
    mechanism: 'length trusted',
    verdicts: ['crash'],
    ops: [],
    parts: (fixed) => withMessages(fixed, lengthTrusted),
  },
  {
    name: 'name-unterminated',
    summary: 'a name is believed to end with NUL, and without one it goes on behind the message',
    fix: 'such a message is EINVAL',
    mechanism: 'length trusted',
    verdicts: ['crash'],
    ops: ['LOOKUP', 'UNLINK', 'RMDIR', 'REMOVEXATTR'],
    parts: (fixed) => withMessages(fixed, endTrusted),
  },
  {
    name: 'write-size',
    summary:
      'the size in a WRITE is trusted, and what the message lacks is written from the memory behind it',
    fix: 'a size that is not that of the data is EINVAL',
    mechanism: 'length trusted',
    verdicts: ['leak', 'crash'],
    ops: ['WRITE'],
    parts: (fixed) => withMessages(fixed, writeSize),
  },
  {
    name: 'setxattr-size',
    summary: 'the size in a SETXATTR is trusted, and the value goes on in the memory behind the message',
    fix: 'a size that is not that of the value is EINVAL',
    mechanism: 'length trusted',
    verdicts: ['leak', 'crash'],
    ops: ['SETXATTR'],
    parts: setxattrSize,
  },
  {
    name: 'readdir-size-rounded',
    summary: 'a READDIR with little room is answered with up to 4096 bytes',
    fix: 'the reply is as long as was asked for',
    mechanism: 'length trusted',
    verdicts: ['malformed'],
    ops: ['READDIR', 'READDIRPLUS'],
    parts: (fixed) =>
      withHandlers(fixed, ({ READDIR, READDIRPLUS }) => ({
        READDIR: roundsUp(READDIR),
        READDIRPLUS: roundsUp(READDIRPLUS),
      })),
  },
  {
    name: 'readdir-offset-negative',
    summary: 'a negative READDIR offset is an index before the listing',
    fix: 'offsets have no sign, and behind the end there is nothing',
    mechanism: 'offset trusted',
    verdicts: ['crash'],
    ops: ['READDIR', 'READDIRPLUS'],
    parts: (fixed) =>
      withHandlers(fixed, ({ READDIR, READDIRPLUS }, world) => ({
        READDIR: indexesBackwards(READDIR, world),
        READDIRPLUS: indexesBackwards(READDIRPLUS, world),
      })),
  },
  {
    name: 'read-offset-negative',
    summary: 'a negative READ offset reads what lies before the contents in memory',
    fix: 'offsets have no sign, and behind the end there is nothing',
    mechanism: 'offset trusted',
    verdicts: ['leak'],
    ops: ['READ'],
    parts: (fixed) => withHandlers(fixed, ({ READ }, world) => ({ READ: readsBackwards(READ, world) })),
  },
] as const satisfies readonly PlantedBug[];
