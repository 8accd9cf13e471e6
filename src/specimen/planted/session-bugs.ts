/** Bugs in what a server keeps of a session: assertions, tables that begin anew, locks that are waited for. */

import { ROOT_ID } from '../../base/ids.js';
import { ReleaseFlag } from '../../protocol/flags.js';
import { holdsRequest, opcodeOf } from '../../protocol/header.js';
import { operationOf } from '../../protocol/operations.js';
import type { Call, Handler } from '../engine/handler.js';
import { LockType } from '../engine/locks.js';
import type { World } from '../memfs.js';
import { type Meddling, withMessages } from './changing.js';
import type { Parts, PlantedBug } from './planted-bug.js';

const assertsForget = (fixed: boolean): Partial<Parts> =>
  fixed
    ? {}
    : {
        wrapNodes: (nodes, { die }) => ({
          ...nodes,
          forget: (nodeid, nlookup) => nodes.forget(nodeid, nlookup) || die('nlookup >= forgotten'),
        }),
      };

const assertsOpcode =
  ({ die }: World): Meddling =>
  (request, next) => {
    if (holdsRequest(request) && operationOf(opcodeOf(request)) === undefined)
      die(`opcode ${opcodeOf(request)} cannot happen`);
    return next(request);
  };

/** A second INIT empties the table of nodes, and is answered as the first. */
const beginsAnew = (fixed: boolean): Partial<Parts> => {
  if (fixed) return {};
  const known = new Set<bigint>([ROOT_ID]);
  return {
    wrapNodes: (nodes) => ({
      ...nodes,
      enter: (inode) => {
        const minted = nodes.enter(inode);
        known.add(minted.nodeid);
        return minted;
      },
      find: (nodeid) => (known.has(nodeid) ? nodes.find(nodeid) : undefined),
    }),
    wrapHandlers: (handlers) => ({
      ...handlers,
      INIT: (call) => {
        const before = call.server.negotiated;
        if (before === undefined) return handlers.INIT(call);
        known.clear();
        known.add(ROOT_ID);
        call.server.negotiated = undefined;
        const answer = handlers.INIT(call);
        call.server.negotiated = before;
        return answer;
      },
    }),
  };
};

/** A server that can stop answering for ever, and what makes it do so. */
const stuckWhen = (fixed: boolean, hold: (getStuck: () => void) => Partial<Parts>): Partial<Parts> => {
  if (fixed) return {};
  let isStuck = false;
  const parts = hold(() => {
    isStuck = true;
  });
  return {
    ...parts,
    wrapEngine: (engine) => ({
      handle: (request) => {
        const messages = isStuck ? [] : engine.handle(request);
        return isStuck ? [] : messages;
      },
    }),
  };
};

type Locking = 'SETLK' | 'SETLKW';

/** Waits for the record of a lock owner that never locked anything here, with the table of locks held. */
const waitsForOwner = (getStuck: () => void): Partial<Parts> => {
  const owners = new Set<bigint>();
  const locking =
    <N extends Locking>(handler: Handler<N>): Handler<N> =>
    (call) => {
      const { owner, lk } = (call satisfies Call<N>).fields;
      if (lk.type === LockType.unlock && !owners.has(owner)) getStuck();
      owners.add(owner);
      return handler(call);
    };
  return {
    wrapHandlers: (handlers) => ({
      ...handlers,
      SETLK: locking(handlers.SETLK),
      SETLKW: locking(handlers.SETLKW),
      RELEASE: (call) => {
        const { releaseFlags, lockOwner } = call.fields;
        if ((releaseFlags & ReleaseFlag.FLOCK_UNLOCK) !== 0 && !owners.has(lockOwner)) getStuck();
        return handlers.RELEASE(call);
      },
    }),
  };
};

/** Waits until somebody opens the file whose handle it was given. */
const waitsForHandle = (getStuck: () => void): Partial<Parts> => {
  const waiting =
    <N extends 'READ' | 'WRITE' | 'FSYNC'>(handler: Handler<N>): Handler<N> =>
    (call) => {
      if (call.server.handles.find(call.fields.fh, undefined) === undefined) getStuck();
      return handler(call);
    };
  return {
    wrapHandlers: (handlers) => ({
      ...handlers,
      READ: waiting(handlers.READ),
      WRITE: waiting(handlers.WRITE),
      FSYNC: waiting(handlers.FSYNC),
    }),
  };
};

/** Bugs of sessions. */
export const sessionBugs = [
  {
    name: 'forget-underflow',
    summary: 'asserts that no FORGET takes more lookups than there were',
    fix: 'such a FORGET is ignored',
    mechanism: 'assertion',
    verdicts: ['abort'],
    ops: ['FORGET', 'BATCH_FORGET'],
    parts: assertsForget,
  },
  {
    name: 'unknown-opcode',
    summary: 'asserts that it knows every opcode',
    fix: 'an unknown one is ENOSYS',
    mechanism: 'assertion',
    verdicts: ['abort'],
    ops: [],
    parts: (fixed) => withMessages(fixed, assertsOpcode),
  },
  {
    name: 'second-init',
    summary: 'a second INIT empties the table of nodes',
    fix: 'a second INIT is refused',
    mechanism: 'session state',
    verdicts: ['poison'],
    ops: ['INIT'],
    parts: beginsAnew,
  },
  {
    name: 'unlock-stale-owner',
    summary: 'unlocking for an owner that never locked waits for its record, and everybody waits with it',
    fix: 'there is nothing to unlock',
    mechanism: 'deadlock',
    verdicts: ['hang'],
    ops: ['SETLK', 'SETLKW', 'RELEASE'],
    parts: (fixed) => stuckWhen(fixed, waitsForOwner),
  },
  {
    name: 'stale-handle-waits',
    summary: 'a request with an unknown handle waits for the file to be opened, and everybody waits with it',
    fix: 'it is EBADF',
    mechanism: 'deadlock',
    verdicts: ['hang'],
    ops: ['READ', 'WRITE', 'FSYNC'],
    parts: (fixed) => stuckWhen(fixed, waitsForHandle),
  },
] as const satisfies readonly PlantedBug[];
