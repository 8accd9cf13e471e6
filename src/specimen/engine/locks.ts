/** Byte-range locks and whole-file locks of open files, and the requests that wait for them. Pure; time plays no part. */

import type { LockOwner, Unique } from '../../base/ids.js';
import type { Inode } from '../store/inode.js';

/** Lock types of fcntl.h as `fuse_file_lock.type` has them. */
export const LockType = { read: 0, write: 1, unlock: 2 } as const;

/** A range (both ends included) as its owner holds or wants it. */
export interface Lock {
  readonly owner: LockOwner;
  readonly type: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly pid: number;
}

/** Whether a lock is of flock(2) or of fcntl(2): the two do not see each other. */
export type LockKind = 'posix' | 'flock';

/** Which locks are meant. */
export interface LockSpace {
  readonly inode: Inode;
  readonly kind: LockKind;
}

/** A SETLKW that is not answered yet. */
interface Waiter {
  readonly unique: Unique;
  readonly space: LockSpace;
  readonly wanted: Lock;
}

type Held = Map<Inode, readonly Lock[]>;

const overlap = (a: Lock, b: Lock): boolean => a.start <= b.end && b.start <= a.end;

const excludes = (held: Lock, wanted: Lock): boolean =>
  held.owner !== wanted.owner &&
  overlap(held, wanted) &&
  (held.type === LockType.write || wanted.type === LockType.write);

/** What is left of a lock of the same owner when `taken` replaces part of it. */
const outside = (held: Lock, taken: Lock): readonly Lock[] => {
  if (held.owner !== taken.owner || !overlap(held, taken)) return [held];
  const before = { ...held, end: taken.start - 1n };
  const after = { ...held, start: taken.end + 1n };
  return [before, after].filter((lock) => lock.start <= lock.end);
};

/** All locks of one incarnation. */
export class Locks {
  readonly #held: Readonly<Record<LockKind, Held>> = { posix: new Map(), flock: new Map() };
  #waiting: Waiter[] = [];

  /** A lock of somebody else that stands in the way; `undefined` when none does. */
  conflict({ inode, kind }: LockSpace, wanted: Lock): Lock | undefined {
    return this.#held[kind].get(inode)?.find((held) => excludes(held, wanted));
  }

  /** Takes or gives back a range, over whatever its owner held of it; the caller has looked for conflicts. */
  set({ inode, kind }: LockSpace, lock: Lock): void {
    const left = (this.#held[kind].get(inode) ?? []).flatMap((held) => outside(held, lock));
    const held = lock.type === LockType.unlock ? left : [...left, lock];
    if (held.length === 0) this.#held[kind].delete(inode);
    else this.#held[kind].set(inode, held);
  }

  /** Gives back everything that the owner holds of a file. */
  drop(space: LockSpace, owner: LockOwner): void {
    const all = { owner, type: LockType.unlock, start: 0n, end: (1n << 64n) - 1n, pid: 0 };
    this.set(space, all);
  }

  /** Lets a request wait until `wanted` is free. */
  wait(unique: Unique, space: LockSpace, wanted: Lock): void {
    this.#waiting.push({ unique, space, wanted });
  }

  /** Ends a wait; false when nobody waits under that unique. */
  cancel(unique: Unique): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((waiter) => waiter.unique !== unique);
    return this.#waiting.length < before;
  }

  /** Gives what became free to those who wait, first come first served; the uniques that can be answered now. */
  grant(): Unique[] {
    if (this.#waiting.length === 0) return [];
    const granted: Unique[] = [];
    this.#waiting = this.#waiting.filter(({ unique, space, wanted }) => {
      if (this.conflict(space, wanted)) return true;
      this.set(space, wanted);
      granted.push(unique);
      return false;
    });
    return granted;
  }
}
