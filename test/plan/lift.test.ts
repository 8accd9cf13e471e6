import { describe, expect, test } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan, PlanSymbol, Step } from '#relight/plan/plan.js';
import { Conversation, DIRECTORY, FILE } from './conversation.js';

const stepAt = (plan: Plan, index: number): Step => {
  const step = plan.steps.at(index);
  if (step === undefined) throw new Error(`no step ${index}`);
  return step;
};
const symbolsOf = (plan: Plan, index: number): number[] =>
  stepAt(plan, index).patches.flatMap((patch) => (patch.kind === 'symbol' ? [patch.symbol] : []));
const mintedBy = (plan: Plan, index: number): number[] =>
  stepAt(plan, index).mints.map(({ symbol }) => symbol);
const symbolAt = (plan: Plan, id: number): PlanSymbol => {
  const symbol = plan.symbols.at(id);
  if (symbol === undefined) throw new Error(`no symbol ${id}`);
  return symbol;
};

describe('nodes', () => {
  test('a minted node is a symbol with path, type, generation and recorded number', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 77n, generation: 5n, attr: { mode: DIRECTORY } });
    talk.lookup(77n, 'b', { nodeid: 78n, attr: { mode: FILE } });
    const plan = lift(talk.recording);
    expect(mintedBy(plan, 0)).toEqual([1]);
    expect(symbolsOf(plan, 1)).toEqual([1]);
    const a = symbolAt(plan, 1);
    expect([a.kind, a.origin, a.mintedBy, a.path]).toEqual(['node', 'step', 0, '/a']);
    expect([a.type, a.recorded, a.generation]).toEqual([0o040000, 77n, 5n]);
    expect(symbolAt(plan, 2).path).toBe('/a/b');
    expect(plan.unbound).toBe(0);
  });

  test('minted again while the kernel holds it is the same, after the last FORGET another', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 77n });
    talk.lookup(1n, 'a', { nodeid: 77n });
    talk.ask('FORGET', 77n, { nlookup: 1n });
    talk.lookup(1n, 'a', { nodeid: 77n });
    talk.ask('BATCH_FORGET', 0n, { count: 1, items: [{ nodeid: 77n, nlookup: 2n }] });
    talk.lookup(1n, 'a', { nodeid: 77n });
    const plan = lift(talk.recording);
    expect([0, 1, 3, 5].map((step) => mintedBy(plan, step))).toEqual([[1], [1], [1], [2]]);
    expect([2, 4].map((step) => symbolsOf(plan, step))).toEqual([[1], [1]]);
  });

  test('another generation or type is another node, and FORGET finds the old one by its count', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 77n, generation: 1n });
    talk.lookup(1n, 'a', { nodeid: 77n, generation: 1n });
    talk.lookup(1n, 'a', { nodeid: 77n, generation: 2n });
    talk.ask('FORGET', 77n, { nlookup: 2n });
    talk.ask('FORGET', 77n, { nlookup: 1n });
    const plan = lift(talk.recording);
    expect(mintedBy(plan, 2)).toEqual([2]);
    expect([symbolsOf(plan, 3), symbolsOf(plan, 4)]).toEqual([[1], [2]]);
  });

  test('READDIRPLUS mints each record but "." and ".."', () => {
    const talk = new Conversation();
    const entries = ['.', '..', 'x', 'y'].map((name, index) => ({
      name,
      namelen: name.length,
      nodeid: BigInt(index + 10),
      off: BigInt(index),
    }));
    talk.exchange('READDIRPLUS', 1n, { fh: 3n }, { entries });
    talk.exchange('GETATTR', 13n, {}, {});
    const plan = lift(talk.recording);
    const minted = mintedBy(plan, 0).map((id) => symbolAt(plan, id));
    expect(minted.map(({ recorded, path }) => [recorded, path])).toEqual([
      [12n, '/x'],
      [13n, '/y'],
    ]);
    expect(symbolsOf(plan, 1)).toEqual([minted[1]?.id]);
  });

  test('LINK, RENAME and COPY_FILE_RANGE name two nodes', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.lookup(1n, 'd', { nodeid: 6n });
    talk.exchange('LINK', 6n, { oldnodeid: 5n, newname: 'l' }, { nodeid: 5n });
    talk.exchange('RENAME', 1n, { newdir: 6n, oldname: 'a', newname: 'b' }, {});
    talk.exchange('OPEN', 5n, {}, { fh: 0n });
    talk.exchange('OPEN', 6n, {}, { fh: 0n });
    talk.exchange('COPY_FILE_RANGE', 5n, { fhIn: 0n, nodeidOut: 6n, fhOut: 0n }, {});
    const plan = lift(talk.recording);
    expect(symbolsOf(plan, 2)).toEqual([2, 1]);
    expect(mintedBy(plan, 2)).toEqual([1]);
    expect(symbolsOf(plan, 3)).toEqual([0, 2]);
    expect([mintedBy(plan, 4), mintedBy(plan, 5)]).toEqual([[3], [4]]);
    expect(symbolsOf(plan, 6)).toEqual([1, 3, 2, 4]);
  });
});

describe('handles', () => {
  test('fh 0 for everything: a handle belongs to its node', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.exchange('CREATE', 1n, { name: 'b' }, { nodeid: 6n, fh: 0n });
    talk.exchange('OPEN', 5n, {}, { fh: 0n });
    talk.exchange('READ', 6n, { fh: 0n }, { data: new Uint8Array(3) });
    talk.exchange('READ', 5n, { fh: 0n }, { data: new Uint8Array(3) });
    const plan = lift(talk.recording);
    const [b, ofB] = mintedBy(plan, 1);
    const [ofA] = mintedBy(plan, 2);
    expect(symbolAt(plan, ofB ?? -1).node).toBe(b);
    expect(symbolsOf(plan, 3)).toEqual([b, ofB]);
    expect(symbolsOf(plan, 4)).toEqual([1, ofA]);
  });

  test('opened twice with one number it is one symbol until both are released', () => {
    const talk = new Conversation();
    for (const fh of [9n, 9n]) talk.exchange('OPEN', 1n, {}, { fh });
    talk.exchange('RELEASE', 1n, { fh: 9n }, {});
    talk.exchange('READ', 1n, { fh: 9n }, { data: new Uint8Array(1) });
    talk.exchange('RELEASE', 1n, { fh: 9n }, {});
    talk.exchange('OPEN', 1n, {}, { fh: 9n });
    const plan = lift(talk.recording);
    expect([0, 1, 5].map((step) => mintedBy(plan, step))).toEqual([[1], [1], [2]]);
    expect(symbolsOf(plan, 3)).toEqual([0, 1]);
  });

  test('GETATTR names a handle only by its flag', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 1n, { fh: 4n }, {});
    talk.exchange('GETATTR', 1n, { fh: 4n, getattrFlags: 1 }, {});
    const plan = lift(talk.recording);
    expect([symbolsOf(plan, 0), symbolsOf(plan, 1)]).toEqual([[0], [0, 1]]);
  });
});

describe('before the recording', () => {
  test('steps on unknown ids are counted, with and without a path', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 50n, {}, {});
    talk.exchange('READ', 51n, { fh: 7n }, { data: new Uint8Array(1) });
    talk.lookup(1n, 'known', { nodeid: 50n, attr: { mode: FILE } });
    const plan = lift(talk.recording);
    expect([plan.unbound, plan.notes.byPath]).toEqual([1, 1]);
    const known = symbolAt(plan, symbolsOf(plan, 0)[0] ?? -1);
    expect([known.origin, known.mintedBy, known.path]).toEqual(['earlier', undefined, '/known']);
    const [node, handle] = symbolsOf(plan, 1).map((id) => symbolAt(plan, id));
    expect([node?.path, handle?.kind, handle?.node, handle?.recorded]).toEqual([
      undefined,
      'handle',
      node?.id,
      7n,
    ]);
  });

  test('a node that was renamed before it was looked up gets its first path', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 50n, {}, {});
    talk.exchange('RENAME', 1n, { newdir: 1n, oldname: 'old', newname: 'between' }, {});
    talk.exchange('RENAME2', 1n, { newdir: 1n, oldname: 'between', newname: 'new' }, {});
    talk.lookup(1n, 'new', { nodeid: 50n });
    expect(symbolAt(lift(talk.recording), 1).path).toBe('/old');
  });

  test('replies to requests of an earlier part mint what nobody saw minted', () => {
    const talk = new Conversation();
    talk.answer(new Conversation().ask('LOOKUP', 1n, { name: 'x' }, 8n), 'LOOKUP', { nodeid: 60n });
    talk.exchange('GETATTR', 60n, {}, {});
    const waiting = [{ unique: 8n, opcode: 1, nodeid: 1n, seq: 0, timeNs: 0n }];
    const plan = lift({ ...talk.recording, header: { waiting, firstSeq: 0 } });
    expect([plan.steps.length, plan.unbound, plan.notes.strayReplies]).toEqual([1, 1, 1]);
  });
});

describe('what is not a plain exchange', () => {
  test('INTERRUPT points to the step, INIT is no step, requests in flight stay unanswered', () => {
    const talk = new Conversation();
    const init = talk.exchange('INIT', 0n, { major: 7, minor: 31 }, { major: 7, minor: 31 });
    const lock = talk.ask('SETLKW', 1n, { fh: 1n, owner: 99n });
    talk.ask('INTERRUPT', 0n, { unique: 4n }, 5n);
    talk.ask('INTERRUPT', 0n, { unique: 400n }, 401n);
    const plan = lift(talk.recording);
    expect(plan.init).toEqual(init);
    expect(plan.negotiated.minor).toBe(31);
    expect(stepAt(plan, 0).template).toEqual(lock);
    expect([1, 2].map((index) => stepAt(plan, index).patches)).toMatchObject([
      [{ kind: 'step', step: 0 }],
      [{ kind: 'step', step: undefined }],
    ]);
    expect([stepAt(plan, 0).answered, plan.notes.unanswered]).toEqual([false, 1]);
  });

  test('a request sent again is the same step; one sent first before the plan is its own', () => {
    const talk = new Conversation();
    const request = talk.ask('LOOKUP', 1n, { name: 'a' });
    const again = talk.resend(request);
    talk.answer(again, 'LOOKUP', { nodeid: 7n });
    talk.resend(new Conversation().ask('GETATTR', 1n, {}, 90n));
    const plan = lift(talk.recording);
    expect(plan.resends).toEqual([{ seq: 1, incarnation: 0, step: 0 }]);
    expect([...plan.steps].map(({ resent, answered }) => [resent, answered])).toEqual([
      [false, true],
      [true, false],
    ]);
  });

  test('notifications stand beside the steps, with the answer to RETRIEVE', () => {
    const talk = new Conversation();
    talk.exchange('GETATTR', 1n, {}, {});
    talk.notify({ name: 'INVAL_INODE', fields: { ino: 1n } });
    talk.notify({ name: 'RETRIEVE', fields: { notifyUnique: 33n, nodeid: 1n, size: 4 } });
    const answer = talk.ask('NOTIFY_REPLY', 1n, { size: 4, data: new Uint8Array(4) }, 33n);
    talk.ask('NOTIFY_REPLY', 1n, { size: 0, data: new Uint8Array(0) }, 35n);
    const plan = lift(talk.recording);
    expect(plan.steps.length).toBe(1);
    expect(plan.notices.map(({ before, seq }) => [before, seq])).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(plan.notices.map((notice) => notice.answer)).toEqual([undefined, answer]);
    expect(plan.notes.strayAnswers).toBe(1);
  });

  test('one incarnation is lifted; those before it only tell names', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    const pending = talk.ask('GETATTR', 5n, {});
    talk.incarnation = 1;
    talk.resend(pending);
    talk.exchange('GETATTR', 5n, {}, -116);
    expect(lift(talk.recording).steps.length).toBe(2);
    const second = lift(talk.recording, { incarnation: 1 });
    expect([...second.steps].map(({ incarnation, resent }) => [incarnation, resent])).toEqual([
      [1, true],
      [1, false],
    ]);
    expect(symbolAt(second, symbolsOf(second, 0)[0] ?? -1)).toMatchObject({ origin: 'earlier' });
    expect([second.unbound, second.notes.byPath]).toEqual([0, 2]);
    const all = lift(talk.recording, { incarnation: 'all' });
    expect([all.steps.length, all.resends.length]).toEqual([3, 1]);
    expect(() => lift(talk.recording, { incarnation: 9 })).toThrow(RelightError);
  });

  test('frames that are lost, broken or cut', () => {
    const talk = new Conversation();
    talk.put('toServer', new Uint8Array(7));
    talk.put('toKernel', new Uint8Array(7));
    const request = talk.ask('READ', 1n, { fh: 1n, size: 10 });
    talk.answer(request, 'READ', { data: new Uint8Array(10).fill(7) });
    const [reply] = talk.frames.splice(3, 1);
    if (reply !== undefined) talk.frames.push({ ...reply, seq: 8, bytes: reply.bytes.subarray(0, 20) });
    const plan = lift(talk.recording);
    expect([plan.notes.broken, plan.notes.missing]).toEqual([2, 5]);
    const step = stepAt(plan, 0);
    expect([step.reply?.length, step.replyKept, step.reply?.[19], step.reply?.[20]]).toEqual([26, 20, 7, 0]);
  });
});
