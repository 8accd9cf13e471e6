/** What each id policy makes of an incarnation's ids in the next one: the truth that replay and the fuzzer are measured against. */

import { describe, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { Fattr } from '#relight/protocol/flags.js';
import { type IdPolicyName, idPolicies } from '#relight/specimen/ids/policies.js';
import { type Conversation, Died, fakePages, started } from './conversation.js';

const names = ['hello.txt', 'coloured.txt', 'run.sh'];
const all = Object.keys(idPolicies) as IdPolicyName[];

/** The nodeids of the names in an incarnation that looked them up in this order. */
const lookUp = (talk: Conversation, order: readonly string[]) =>
  Object.fromEntries(order.map((name) => [name, talk.walk(name)]));

/** Ids of a first incarnation, and a second one that looked the same names up the other way round. */
const restarted = (ids: IdPolicyName, { base = 0x9000_0000n, lookedUp = true } = {}) => {
  const old = lookUp(started({ ids }), names);
  const talk = started({ ids }, { pages: fakePages(base) });
  const now = lookedUp ? lookUp(talk, [...names].reverse()) : {};
  return { old, now, talk };
};

/** What a stale nodeid does: names a file, is refused with an errno, or ends the server. */
const outcome = (talk: Conversation, nodeid: bigint): string => {
  try {
    const { reply } = talk.say('GETATTR', {}, { nodeid });
    if (!reply?.ok) return `errno ${reply?.header.error}`;
    return talk.label(nodeid);
  } catch (error) {
    if (error instanceof Died) return error.message.replace(/\d{3,}/, 'N');
    throw error;
  }
};

describe('the same policy, one incarnation', () => {
  test.each(all)('%s: every name keeps one nodeid and different names have different ones', (ids) => {
    const talk = started({ ids });
    const first = lookUp(talk, names);
    expect(lookUp(talk, names)).toEqual(first);
    expect(new Set(Object.values(first)).size).toBe(names.length);
    for (const name of names) expect(talk.label(first[name] ?? 0n)).toBe(name);
  });

  test.each(all)('%s: a forgotten node can be looked up again', (ids) => {
    const talk = started({ ids });
    for (let round = 0; round < 3; round++) {
      const nodeid = talk.walk('hello.txt');
      talk.say('FORGET', { nlookup: 1n }, { nodeid });
    }
    expect(talk.label(talk.walk('hello.txt'))).toBe('hello.txt');
  });
});

describe('a nodeid of the incarnation before, after the same names were looked up in another order', () => {
  const [first, , last] = names;
  test.each([
    ['inode', first],
    ['inode+generation', first],
    ['counter', last],
    ['counter+generation', last],
    ['index', last],
    ['random', `errno ${-Errno.ESTALE}`],
    ['address', 'SIGSEGV at N'],
  ] as const)('%s: %s', (ids, expected) => {
    const { old, talk } = restarted(ids);
    expect(outcome(talk, old[first ?? ''] ?? 0n)).toBe(expected);
  });

  test('address without randomisation: another file', () => {
    const { old, talk } = restarted('address', { base: 0x1000_0000n });
    expect(outcome(talk, old['hello.txt'] ?? 0n)).toBe('run.sh');
  });
});

describe('a nodeid of the incarnation before, when nothing was looked up yet', () => {
  test.each([
    ['inode', 'hello.txt'],
    ['inode+generation', 'hello.txt'],
    ['counter', 'node 2 not found'],
    ['counter+generation', 'node 2 not found'],
    ['index', `errno ${-Errno.ESTALE}`],
    ['random', `errno ${-Errno.ESTALE}`],
    ['address', 'SIGSEGV at N'],
  ] as const)('%s: %s', (ids, expected) => {
    const { old, talk } = restarted(ids, { lookedUp: false });
    expect(outcome(talk, old['hello.txt'] ?? 0n)).toBe(expected);
  });

  test('--unknown turns an abort into ESTALE and back', () => {
    const counter = started({ ids: 'counter', unknown: 'estale' });
    expect(counter.errno('GETATTR', {}, { nodeid: 99n })).toBe(Errno.ESTALE);
    expect(() => started({ unknown: 'abort' }).say('GETATTR', {}, { nodeid: 99_999n })).toThrow(
      'node 99999 not found',
    );
  });
});

describe('generations', () => {
  test('counter+generation: the same nodeid with another generation tells the incarnations apart', () => {
    const entry = () => started({ ids: 'counter+generation' }).ask('LOOKUP', { name: 'hello.txt' });
    const [a, b] = [entry(), entry()];
    expect(a.nodeid).toBe(b.nodeid);
    expect(a.generation).not.toBe(b.generation);
  });

  test('a recycled inode number: inode serves the new file, inode+generation does not', () => {
    const recycle = (ids: IdPolicyName) => {
      const talk = started({ ids });
      const nodeid = talk.walk('run.sh');
      talk.say('FORGET', { nlookup: 1n }, { nodeid });
      talk.ask('UNLINK', { name: 'run.sh' });
      const { attr } = talk.ask('CREATE', { name: 'new', mode: 0o600, flags: 2 });
      return { stale: talk.errno('GETATTR', {}, { nodeid }), ino: attr.ino };
    };
    expect(recycle('inode')).toEqual({ stale: 0, ino: 8n });
    expect(recycle('inode+generation')).toEqual({ stale: Errno.ESTALE, ino: 8n });
  });

  test('--no-reuse-inos never gives a number twice', () => {
    const talk = started({ 'reuse-inos': false });
    talk.ask('UNLINK', { name: 'run.sh' });
    expect(talk.ask('CREATE', { name: 'new', mode: 0o600, flags: 2 }).attr.ino).not.toBe(8n);
  });
});

describe('a stale change', () => {
  test('counter: SETATTR size 0 truncates another file and says so to nobody', () => {
    const { old, talk } = restarted('counter');
    expect(talk.errno('SETATTR', { valid: Fattr.SIZE, size: 0n }, { nodeid: old['hello.txt'] ?? 0n })).toBe(
      0,
    );
    expect(talk.contents(talk.walk('run.sh'))).toBe('');
    expect(talk.label(talk.walk('hello.txt'))).toBe('hello.txt');
  });

  test('counter and index: a stale FORGET takes a live node away', () => {
    for (const ids of ['counter', 'index'] as const) {
      const { old, now, talk } = restarted(ids);
      talk.say('FORGET', { nlookup: 1n }, { nodeid: old['hello.txt'] ?? 0n });
      expect(outcome(talk, now['run.sh'] ?? 0n)).toMatch(/not found|errno -116/);
    }
  });

  test('address: a stale FORGET frees a live record, and the next node lands on it', () => {
    const { old, now, talk } = restarted('address', { base: 0x1000_0000n });
    talk.say('FORGET', { nlookup: 1n }, { nodeid: old['hello.txt'] ?? 0n });
    expect(talk.walk('big.bin')).toBe(now['run.sh']);
    expect(outcome(talk, now['run.sh'] ?? 0n)).toBe('big.bin');
  });

  test('counter: giving back more lookups than there were aborts', () => {
    const talk = started({ ids: 'counter' });
    const nodeid = talk.walk('hello.txt');
    expect(() => talk.say('FORGET', { nlookup: 2n }, { nodeid })).toThrow('forget');
  });
});

describe('records in memory', () => {
  test('a freed record is used again first, and until then shows the bytes of the free list', () => {
    const talk = started({ ids: 'address' });
    const [a, b] = [talk.walk('hello.txt'), talk.walk('run.sh')];
    talk.say('FORGET', { nlookup: 1n }, { nodeid: a });
    talk.say('FORGET', { nlookup: 1n }, { nodeid: b });
    // b's record holds the address of a's, the one freed before it.
    expect(talk.ask('GETATTR', {}, { nodeid: b }).attr.ino).toBe(a);
    expect(talk.walk('big.bin')).toBe(b);
    expect(talk.label(b)).toBe('big.bin');
  });

  test('nodes and handles share the heap: a released fh can become a node', () => {
    const talk = started({ ids: 'address' });
    const nodeid = talk.walk('hello.txt');
    const { fh } = talk.ask('OPEN', { flags: 0 }, { nodeid });
    talk.ask('RELEASE', { fh }, { nodeid });
    expect(talk.walk('run.sh')).toBe(BigInt(fh));
    expect(talk.ask('READ', { fh, offset: 0n, size: 6 }, { nodeid }).data).toHaveLength(6);
  });
});

describe('file handles', () => {
  /** Opens the files in this order and returns their handles by name. */
  const openAll = (talk: Conversation, order: readonly string[]) =>
    Object.fromEntries(
      order.map((name) => {
        const nodeid = talk.walk(name);
        return [name, { nodeid, fh: talk.ask('OPEN', { flags: 2 }, { nodeid }).fh }];
      }),
    );

  /** What a READ with the first incarnation's fh and the second one's right nodeid gives. */
  const staleRead = (handles: string, more: Readonly<Record<string, unknown>> = {}) => {
    const options = { ids: 'inode', handles, ...more };
    const old = openAll(started(options), names);
    const talk = started(options, { pages: fakePages(0x9000_0000n) });
    openAll(talk, [...names].reverse());
    const nodeid = talk.walk('hello.txt');
    try {
      const { reply } = talk.say(
        'READ',
        { fh: old['hello.txt']?.fh ?? 0n, offset: 0n, size: 100 },
        { nodeid },
      );
      if (reply?.ok !== true || reply.name !== 'READ') return `errno ${reply?.header.error}`;
      return Buffer.from(reply.fields.data).toString('latin1').split(' ')[0];
    } catch (error) {
      if (error instanceof Died) return 'SIGSEGV';
      throw error;
    }
  };

  test.each([
    ['none', 'hello.txt'],
    ['counter', 'run.sh'],
    ['index', 'run.sh'],
    ['fd', 'run.sh'],
    ['random', `errno ${-Errno.EBADF}`],
    ['address', 'SIGSEGV'],
  ])('%s: a stale fh with a live nodeid reads %s', (handles, expected) => {
    expect(staleRead(handles)).toBe(expected);
  });

  test('--check match refuses a handle that is not of the node', () => {
    expect(staleRead('counter', { check: 'match' })).toBe(`errno ${-Errno.EBADF}`);
  });

  test('fd: the lowest free number, index: the last one freed', () => {
    const reopened = (handles: string) => {
      const talk = started({ handles });
      const opened = openAll(talk, names);
      for (const name of ['hello.txt', 'coloured.txt'])
        talk.ask('RELEASE', { fh: opened[name]?.fh ?? 0n }, { nodeid: opened[name]?.nodeid ?? 0n });
      return talk.ask('OPEN', { flags: 0 }, { nodeid: opened['run.sh']?.nodeid ?? 0n }).fh;
    };
    expect(reopened('fd')).toBe(5n);
    expect(reopened('index')).toBe(2n);
  });

  test('a stale RELEASE closes another file', () => {
    const talk = started({ handles: 'counter' });
    const opened = openAll(talk, names);
    expect(talk.errno('RELEASE', { fh: 1n }, { nodeid: opened['run.sh']?.nodeid ?? 0n })).toBe(0);
    const { nodeid = 0n, fh = 0n } = opened['hello.txt'] ?? {};
    expect(talk.errno('READ', { fh, offset: 0n, size: 1 }, { nodeid })).toBe(Errno.EBADF);
  });
});
