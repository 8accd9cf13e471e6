import { describe, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { LkFlag, ReleaseFlag } from '#relight/protocol/flags.js';
import { NOTIFY_XATTR } from '#relight/specimen/engine/orders.js';
import { bytes, started } from './conversation.js';

const READ = 0;
const WRITE = 1;
const UNLOCK = 2;

describe('locks', () => {
  const open = () => {
    const talk = started();
    const nodeid = talk.walk('hello.txt');
    const { fh } = talk.ask('OPEN', { flags: 2 }, { nodeid });
    const lock = (owner: bigint, type: number, start = 0n, end = 99n) => ({
      fh,
      owner,
      lk: { type, start, end, pid: Number(owner) },
    });
    return { talk, nodeid, fh, lock };
  };

  test('readers share, writers do not, and GETLK shows who is in the way', () => {
    const { talk, nodeid, lock } = open();
    expect(talk.errno('SETLK', lock(1n, READ), { nodeid })).toBe(0);
    expect(talk.errno('SETLK', lock(2n, READ), { nodeid })).toBe(0);
    expect(talk.errno('SETLK', lock(3n, WRITE), { nodeid })).toBe(Errno.EAGAIN);
    expect(talk.ask('GETLK', lock(3n, WRITE), { nodeid }).lk).toMatchObject({ type: READ, pid: 1 });
    expect(talk.ask('GETLK', lock(3n, WRITE, 100n, 200n), { nodeid }).lk.type).toBe(UNLOCK);
  });

  test('unlocking the middle leaves both sides', () => {
    const { talk, nodeid, lock } = open();
    talk.ask('SETLK', lock(1n, WRITE), { nodeid });
    talk.ask('SETLK', lock(1n, UNLOCK, 40n, 59n), { nodeid });
    expect(talk.errno('SETLK', lock(2n, WRITE, 40n, 59n), { nodeid })).toBe(0);
    expect(talk.errno('SETLK', lock(2n, WRITE, 39n, 39n), { nodeid })).toBe(Errno.EAGAIN);
    expect(talk.errno('SETLK', lock(2n, WRITE, 60n, 60n), { nodeid })).toBe(Errno.EAGAIN);
  });

  test('SETLKW waits, is granted when the other closes, and can be interrupted', () => {
    const { talk, nodeid, fh, lock } = open();
    talk.ask('SETLK', lock(1n, WRITE), { nodeid });
    expect(talk.say('SETLKW', lock(2n, WRITE), { nodeid, unique: 1000n })).toEqual({
      reply: undefined,
      late: [],
      notifications: [],
    });
    expect(talk.say('SETLKW', lock(3n, WRITE), { nodeid, unique: 1002n }).reply).toBeUndefined();
    const interrupted = talk.say('INTERRUPT', { unique: 1002n }, { unique: 1003n });
    expect(interrupted).toMatchObject({ reply: undefined, late: [[1002n, -Errno.EINTR]] });
    expect(talk.say('FLUSH', { fh, lockOwner: 1n }, { nodeid }).late).toEqual([[1000n, 0]]);
    expect(talk.say('INTERRUPT', { unique: 1000n }).late).toEqual([]);
  });

  test('flock locks and fcntl locks do not see each other; RELEASE drops the former', () => {
    const { talk, nodeid, fh, lock } = open();
    talk.ask('SETLK', lock(1n, WRITE), { nodeid });
    const whole = (owner: bigint) => ({ ...lock(owner, WRITE, 0n, (1n << 63n) - 1n), lkFlags: LkFlag.FLOCK });
    expect(talk.errno('SETLK', whole(2n), { nodeid })).toBe(0);
    expect(talk.errno('SETLK', whole(3n), { nodeid })).toBe(Errno.EAGAIN);
    talk.ask('RELEASE', { fh, releaseFlags: ReleaseFlag.FLOCK_UNLOCK, lockOwner: 2n }, { nodeid });
    expect(talk.errno('SETLK', whole(3n), { nodeid })).toBe(0);
  });
});

describe('notifications on order', () => {
  const order = (text: string, path = 'hello.txt', minor = 45) => {
    const talk = started({ minor });
    const nodeid = talk.walk(path);
    const child = path === 'docs' ? talk.walk('docs/guide.txt') : 0n;
    const said = talk.say('SETXATTR', { name: NOTIFY_XATTR, value: bytes(text) }, { nodeid });
    return { nodeid, child, error: said.reply?.header.error, said: said.notifications };
  };

  test('of an inode', () => {
    const { nodeid, said } = order('inval-inode -1 0');
    expect(said).toMatchObject([{ name: 'INVAL_INODE', fields: { ino: nodeid, off: -1n, len: 0n } }]);
    expect(order('store 0 9').said).toMatchObject([
      { name: 'STORE', fields: { size: 9, data: bytes('hello.txt') } },
    ]);
    expect(order('retrieve 0 100').said).toMatchObject([{ name: 'RETRIEVE', fields: { size: 100 } }]);
    expect(order('prune').said).toMatchObject([{ name: 'PRUNE', fields: { count: 1 } }]);
  });

  test('of a name', () => {
    expect(order('inval-entry guide.txt', 'docs').said).toMatchObject([
      { name: 'INVAL_ENTRY', fields: { name: 'guide.txt', flags: 0 } },
    ]);
    expect(order('expire-entry guide.txt', 'docs').said).toMatchObject([{ fields: { flags: 1 } }]);
    const { child, nodeid, said } = order('delete guide.txt', 'docs');
    expect(said).toMatchObject([{ name: 'DELETE', fields: { parent: nodeid, child, name: 'guide.txt' } }]);
  });

  test('of everything', () => {
    expect(order('resend').said).toMatchObject([{ name: 'RESEND' }]);
    expect(order('inc-epoch').said).toMatchObject([{ name: 'INC_EPOCH' }]);
  });

  test('an unknown order and one that is newer than the session are refused', () => {
    expect(order('frobnicate')).toMatchObject({ error: -Errno.EINVAL, said: [] });
    expect(order('prune', 'hello.txt', 40)).toMatchObject({ error: -Errno.EOPNOTSUPP, said: [] });
  });

  test('NOTIFY_REPLY is taken without an answer', () => {
    const said = started().say('NOTIFY_REPLY', { offset: 0n, size: 3, data: bytes('abc') });
    expect(said).toEqual({ reply: undefined, late: [], notifications: [] });
  });
});
