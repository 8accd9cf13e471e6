/** Handlers of fcntl(2) and flock(2) locks. */

import { LkFlag } from '../../../protocol/flags.js';
import type { Inode } from '../../store/inode.js';
import { refuse } from '../../store/refusal.js';
import { type Answer, type Call, done, type Handler, onHandle } from '../handler.js';
import { type Lock, type LockSpace, LockType } from '../locks.js';

type LockCall = Call<'GETLK'> | Call<'SETLK'> | Call<'SETLKW'>;

const spaceOf = ({ fields }: LockCall, inode: Inode): LockSpace => ({
  inode,
  kind: (fields.lkFlags & LkFlag.FLOCK) !== 0 ? 'flock' : 'posix',
});

const wantedBy = ({ fields: { owner, lk } }: LockCall): Lock => ({ owner, ...lk });

/** A lock that stands in the way, or F_UNLCK when none does, as fcntl(F_GETLK) shows it. */
export const GETLK: Handler<'GETLK'> = onHandle((call, { inode }) => {
  const wanted = wantedBy(call);
  const { start, end, type, pid } = call.server.locks.conflict(spaceOf(call, inode), wanted) ?? {
    ...wanted,
    type: LockType.unlock,
    pid: 0,
  };
  return { lk: { start, end, type, pid } };
});

/** Takes the lock; otherwise does what `blocked` does. */
const setLock = (call: LockCall, inode: Inode, blocked: () => Answer<'SETLK'>): Answer<'SETLK'> => {
  const wanted = wantedBy(call);
  if (wanted.type > LockType.unlock || wanted.start > wanted.end) return refuse('EINVAL');
  const space = spaceOf(call, inode);
  if (wanted.type !== LockType.unlock && call.server.locks.conflict(space, wanted)) return blocked();
  call.server.locks.set(space, wanted);
  return done;
};

export const SETLK: Handler<'SETLK'> = onHandle((call, { inode }) =>
  setLock(call, inode, () => refuse('EAGAIN')),
);

export const SETLKW: Handler<'SETLKW'> = onHandle((call, { inode }) =>
  setLock(call, inode, () => {
    call.server.locks.wait(call.header.unique, spaceOf(call, inode), wantedBy(call));
    return 'silent';
  }),
);
