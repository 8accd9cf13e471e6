import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { conversation } from './arbitrary.js';
import { Conversation } from './conversation.js';

const afterOf = (talk: Conversation, index: number): readonly number[] =>
  lift(talk.recording).steps.at(index)?.after ?? [];

/** What comes before a step, directly or not. */
const closure = (plan: Plan, index: number, seen = new Set<number>()): Set<number> => {
  for (const before of plan.steps.at(index)?.after ?? []) {
    if (seen.has(before)) continue;
    seen.add(before);
    closure(plan, before, seen);
  }
  return seen;
};
const allBefore = (talk: Conversation, index: number): number[] =>
  [...closure(lift(talk.recording), index)].sort((a, b) => a - b);

const data = new Uint8Array(4);

describe('order', () => {
  test('a request waits for the reply that mints what it uses, and for no more', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.lookup(1n, 'b', { nodeid: 6n });
    talk.exchange('OPEN', 5n, {}, { fh: 9n });
    talk.exchange('READ', 5n, { fh: 9n }, { data });
    expect([0, 1, 2, 3].map((step) => afterOf(talk, step))).toEqual([[], [], [0], [2]]);
  });

  test('readers wait for the last writer, writers for the readers since, on one node', () => {
    const talk = new Conversation();
    talk.exchange('SETATTR', 1n, {}, {});
    talk.exchange('GETATTR', 1n, {}, {});
    talk.exchange('GETATTR', 1n, {}, {});
    talk.exchange('SETXATTR', 1n, { name: 'user.x' }, {});
    talk.exchange('GETATTR', 1n, {}, {});
    expect([1, 2, 3, 4].map((step) => afterOf(talk, step))).toEqual([[0], [0], [1, 2], [3]]);
  });

  test('hard links are one object, whatever their nodeids', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.exchange('LINK', 1n, { oldnodeid: 5n, newname: 'b' }, { nodeid: 6n });
    talk.exchange('SETATTR', 5n, {}, {});
    talk.exchange('GETATTR', 6n, {}, {});
    expect([1, 2, 3].map((step) => afterOf(talk, step))).toEqual([[0], [1], [2]]);
  });

  test('what failed changed nothing', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 1n, {}, {});
    talk.exchange('SETXATTR', 1n, { name: 'user.x' }, -95);
    talk.exchange('IOCTL', 1n, {}, -25);
    talk.exchange('GETATTR', 1n, {}, {});
    expect([1, 2, 3].map((step) => afterOf(talk, step))).toEqual([[], [], []]);
  });

  test('names: a change waits for lookups in its directory, both directories of a rename, and what the name means', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'd', { nodeid: 5n });
    talk.lookup(1n, 'e', { nodeid: 6n });
    talk.lookup(5n, 'f', { nodeid: 7n });
    talk.exchange('GETATTR', 7n, {}, {});
    talk.exchange('RENAME', 5n, { newdir: 6n, oldname: 'f', newname: 'g' }, {});
    talk.lookup(6n, 'x', -2);
    talk.lookup(6n, 'g', { nodeid: 7n });
    talk.exchange('UNLINK', 6n, { name: 'g' }, {});
    talk.exchange('RMDIR', 1n, { name: 'e' }, {});
    expect(allBefore(talk, 4)).toEqual([0, 1, 2, 3]);
    expect(afterOf(talk, 5)).toEqual([4]);
    expect(afterOf(talk, 7)).toEqual([5, 6]);
    expect(afterOf(talk, 8)).toContain(7);
  });

  test('RELEASE waits for the users of its handle, READDIR for the one before', () => {
    const talk = new Conversation();
    talk.exchange('OPENDIR', 1n, {}, { fh: 3n });
    talk.exchange('READDIR', 1n, { fh: 3n }, { entries: [] });
    talk.exchange('READDIR', 1n, { fh: 3n, offset: 9n }, { entries: [] });
    talk.exchange('FSYNCDIR', 1n, { fh: 3n }, -38);
    talk.exchange('RELEASEDIR', 1n, { fh: 3n }, -5);
    expect([1, 2, 3, 4].map((step) => afterOf(talk, step))).toEqual([[0], [1], [2], [3]]);
  });

  test('FORGET waits for every user of the node, and its name may be looked up after it', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.exchange('GETATTR', 5n, {}, {});
    talk.exchange('READLINK', 5n, {}, { target: 'x' });
    talk.ask('FORGET', 5n, { nlookup: 1n });
    talk.ask('FORGET', 5n, { nlookup: 1n });
    expect([3, 4].map((step) => afterOf(talk, step))).toEqual([[1, 2], [3]]);
  });

  test('what was under way together does not wait for each other', () => {
    const talk = new Conversation();
    const waits = talk.ask('SETLKW', 1n, { fh: 1n, owner: 1n });
    talk.exchange('SETLK', 1n, { fh: 1n, owner: 2n }, {});
    talk.answer(waits, 'SETLKW', {});
    talk.exchange('GETLK', 1n, { fh: 1n, owner: 2n }, {});
    expect([afterOf(talk, 1), afterOf(talk, 2)]).toEqual([[], [0, 1]]);
  });

  test('a writer that was sent before another ended does not hide it', () => {
    const talk = new Conversation();
    const slow = talk.ask('WRITE', 1n, { fh: 1n, data });
    talk.exchange('WRITE', 1n, { fh: 1n, data }, {});
    talk.answer(slow, 'WRITE', {});
    talk.exchange('READ', 1n, { fh: 1n }, { data });
    expect(afterOf(talk, 2)).toEqual([0, 1]);
  });

  test('SYNCFS, IOCTL and DESTROY divide; STATFS holds nobody up', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 50n, {}, {});
    talk.exchange('GETATTR', 51n, {}, {});
    talk.exchange('STATFS', 1n, {}, {});
    talk.exchange('SETATTR', 1n, {}, {});
    talk.exchange('SYNCFS', 1n, {}, {});
    talk.exchange('GETATTR', 52n, {}, {});
    talk.exchange('IOCTL', 52n, {}, {});
    talk.exchange('GETATTR', 53n, {}, {});
    talk.exchange('DESTROY', 0n, {}, {});
    expect(afterOf(talk, 3)).toEqual([]);
    expect(afterOf(talk, 4)).toEqual([0, 1, 2, 3]);
    expect([5, 6, 7, 8].map((step) => afterOf(talk, step))).toEqual([[4], [5], [6], [7]]);
  });

  test('OPEN with O_TRUNC writes, without it reads', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 5n, {}, {});
    talk.exchange('OPEN', 5n, { flags: 0o1001 }, { fh: 1n });
    talk.exchange('OPEN', 5n, { flags: 0 }, { fh: 2n });
    expect([afterOf(talk, 1), afterOf(talk, 2)]).toEqual([[0], [1]]);
  });

  test('many readers and one writer stay linear, and the writer still comes after all', () => {
    const talk = new Conversation();
    for (let index = 0; index < 2000; index++) talk.lookup(1n, 'nothing', -2);
    for (let index = 0; index < 3; index++) talk.exchange('MKDIR', 1n, { name: 'x' }, { nodeid: 9n });
    const plan = lift(talk.recording);
    const edges = [...plan.steps].reduce((sum, { after }) => sum + after.length, 0);
    expect(edges).toBeLessThan(2500);
    expect(closure(plan, 2000).size).toBe(2000);
  });
});

describe('order of any conversation', () => {
  test('goes back only to what was over before', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(conversation, (talk) => {
        if (talk.frames.length === 0) return;
        const { steps } = lift(talk.recording, { negotiated: talk.session });
        for (const step of steps) {
          expect(new Set(step.after).size).toBe(step.after.length);
          for (const before of step.after) {
            const other = steps.at(before);
            const isOver =
              other?.op?.replyRule === 'never' ||
              (other?.answeredBefore ?? Number.POSITIVE_INFINITY) <= step.index;
            expect(before < step.index && isOver).toBe(true);
          }
        }
      }),
    );
  });
});
