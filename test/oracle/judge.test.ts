import { describe, expect, it } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { byCaller, byDevice, type Refusal, warned } from '#relight/kernel/refusal.js';
import type { MappedRange } from '#relight/oracle/id-kind.js';
import { judge } from '#relight/oracle/judge.js';
import type { Outcome, Probe } from '#relight/oracle/probe.js';
import { gravest, isUnsafe, type Judgement, verdictNames } from '#relight/oracle/verdict.js';
import type { Fields } from '#relight/protocol/layout.js';
import type { OperationName } from '#relight/protocol/operations.js';
import {
  attrReply,
  entry,
  errorReply,
  getattr,
  plainRecords,
  reading,
  setting,
  text,
  writing,
} from './messages.js';
import {
  attributesOf,
  attrOf,
  contentOf,
  getattrOf,
  knownWorld,
  type Name,
  objects,
  observe,
  probe,
  readOf,
  sceneOf,
  stale,
  step,
  told,
} from './world.js';

const judged = (asked: Probe, outcome: Outcome, known = knownWorld()): Judgement =>
  judge(asked, outcome, sceneOf(known));
const evidence = ({ evidence }: Judgement): string => evidence.join('\n');

describe('attributes by a stale nodeid', () => {
  const cases: readonly [string, Name, Name, Judgement['verdict'], RegExp][] = [
    ['of the same file', 'a', 'a', 'recovered', /as \/a: .*size 5.*mtime/],
    ['of another file', 'a', 'b', 'wrong-object', /unlike \/a: .*size 16, not 5[\s\S]*as \/b: .*size 16/],
    ['of a directory', 'a', 'd', 'wrong-object', /type 040000, not 0100000[\s\S]*as \/d:/],
    ['of an empty file', 'empty', 'empty', 'recovered', /mtime/],
  ];

  it.each(cases)('%s', (_, asked, given, verdict, why) => {
    const request = getattrOf(asked);
    const judgement = judged(request, attributesOf(request, given));
    expect(judgement).toMatchObject({ verdict, op: 'GETATTR', idKind: 'node', symbol: objects[asked] });
    expect(evidence(judgement)).toMatch(why);
    expect(evidence(judgement)).toMatch(
      /^sent GETATTR #4 node \d+ .*\nstale node \d+ was \/\w+ in incarnation 0\ngot /,
    );
  });

  it('of a file that nobody knows', () => {
    const request = getattrOf('a');
    const stranger = { ...attrOf('a'), ino: 999n, size: 77n, mtime: 5n, ctime: 5n };
    expect(judged(request, told(request, 'GETATTR', attrReply(stranger)))).toMatchObject({
      verdict: 'wrong-object',
    });
  });

  it('that fit another file just as well say nothing', () => {
    const request = getattrOf('twin1');
    const outcome = told(request, 'GETATTR', attrReply(attrOf('twin1', { ino: 5n })));
    expect(judged(request, outcome)).toMatchObject({ verdict: 'unknown' });
  });

  it('that differ only in a time say nothing', () => {
    const request = getattrOf('a');
    const outcome = attributesOf(request, 'a', { mtime: 5n });
    expect(judged(request, outcome)).toMatchObject({ verdict: 'unknown' });
  });

  it('of an object that is gone are those of another', () => {
    const known = knownWorld();
    known.gone(objects.a, 'replaced while the server was down');
    const request = getattrOf('a');
    const judgement = judged(request, attributesOf(request, 'a'), known);
    expect(judgement).toMatchObject({ verdict: 'wrong-object' });
    expect(evidence(judgement)).toMatch(/\/a is gone: replaced while the server was down/);
  });

  it('tell that the id is a pointer, where memory was seen', () => {
    const pointsInto = { start: 0n, end: 64n, permissions: 'rw-p', path: '[heap]' };
    const request = getattrOf('a', { stale: [{ ...stale('a'), pointsInto }] });
    expect(evidence(judged(request, attributesOf(request, 'a')))).toMatch(/an address in \[heap\] \(rw-p\)/);
  });
});

describe('contents by a stale id', () => {
  const reads = (asked: Name, data: Uint8Array, offset = 0n): Judgement => {
    const request = readOf(asked, offset);
    return judged(request, told(request, 'READ', { data }));
  };

  it.each<[string, Name, Uint8Array, bigint, Judgement['verdict']]>([
    ['of the same file', 'a', contentOf('a'), 0n, 'recovered'],
    ['of the same file, beyond whose end the server goes on', 'a', text('hello!!!'), 0n, 'recovered'],
    ['of a file that begins like the other', 'a', contentOf('b'), 0n, 'unknown'],
    ['of the same file from the middle', 'a', text('llo'), 2n, 'recovered'],
    ['of another file', 'a', contentOf('c'), 0n, 'wrong-object'],
    ['that are too few', 'b', text('hello'), 0n, 'wrong-object'],
    ['that no file holds', 'a', text('HELLO'), 0n, 'wrong-object'],
    ['that are zeroes of no file', 'a', new Uint8Array(5), 0n, 'leak'],
    ['that two files share', 'twin1', contentOf('twin1'), 0n, 'unknown'],
    ['of an empty file', 'empty', text(''), 0n, 'unknown'],
    ['of a file that was never read', 'unread', text('something'), 0n, 'unknown'],
    ['behind the end', 'a', text(''), 100n, 'unknown'],
  ])('%s', (_, name, data, offset, verdict) => {
    expect(reads(name, data, offset)).toMatchObject({ verdict });
  });

  it('names the bytes that differ', () => {
    expect(evidence(reads('a', text('heLlo')))).toMatch(
      /unlike \/a: contents 3 bytes, at 0 "Llo" from 2 on, not .*"llo"/,
    );
  });
});

describe('memory of the server', () => {
  const maps: MappedRange[] = [
    { start: 0x5581_0000_0000n, end: 0x5581_0010_0000n, permissions: 'rw-p', path: '[heap]' },
    { start: 0x7f00_0000_0000n, end: 0x7f00_0100_0000n, permissions: 'r-xp', path: '/usr/lib/libc.so.6' },
  ];
  const holding = (...words: bigint[]): Uint8Array => {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    words.forEach((word, index) => {
      view.setBigUint64(8 * index, word, true);
    });
    return bytes;
  };

  it('in contents is a leak', () => {
    const request = readOf('unread');
    const scene = { ...sceneOf(knownWorld()), maps };
    const outcome = told(request, 'READ', { data: holding(1n, 0x5581_0000_1230n) });
    const judgement = judge(request, outcome, scene);
    expect(judgement).toMatchObject({ verdict: 'leak', followUps: [] });
    expect(evidence(judgement)).toMatch(/byte 8 holds 0x558100001230, an address in \[heap\] \(rw-p\)/);
  });

  it('that happens to be what the file holds is not', () => {
    const known = knownWorld();
    const data = holding(0x5581_0000_1230n);
    observe(
      known,
      step('GETATTR', getattr, attrReply(attrOf('unread', { size: 64n })), { node: objects.unread }),
    );
    observe(known, step('READ', reading(1n, 0n), { data }, { node: objects.unread }));
    const request = readOf('unread');
    const judgement = judge(request, told(request, 'READ', { data }), { ...sceneOf(known), maps });
    expect(judgement).toMatchObject({ verdict: 'recovered' });
  });
});

describe('names and targets by a stale id', () => {
  const known = () => {
    const identities = knownWorld();
    observe(identities, step('READDIR', reading(1n, 0n), plainRecords('x', 'y'), { node: objects.d }));
    observe(identities, step('READLINK', {}, { target: 'over/there' }, { node: objects.c }));
    observe(
      identities,
      step('GETXATTR', { size: 64, padding: 0, name: 'user.k' }, { value: text('v1') }, { node: objects.b }),
    );
    return identities;
  };
  const answered = (operation: OperationName, asked: Fields, name: Name, fields: Fields): Judgement => {
    const request = probe(operation, asked, name);
    return judged(request, told(request, operation, fields), known());
  };

  it.each<[string, OperationName, Fields, Name, Fields, Judgement['verdict']]>([
    ['the same listing', 'READDIR', reading(1n, 0n), 'd', plainRecords('y', 'x'), 'recovered'],
    ['another listing', 'READDIR', reading(1n, 0n), 'd', plainRecords('x', 'z'), 'wrong-object'],
    ['a listing of a part', 'READDIR', reading(1n, 0n, 64), 'd', plainRecords('x'), 'recovered'],
    ['the end of a listing', 'READDIR', reading(1n, 9n), 'd', plainRecords(), 'unknown'],
    ['the same target', 'READLINK', {}, 'c', { target: 'over/there' }, 'recovered'],
    ['another target', 'READLINK', {}, 'c', { target: 'elsewhere' }, 'wrong-object'],
    [
      'the same attribute',
      'GETXATTR',
      { size: 64, padding: 0, name: 'user.k' },
      'b',
      { value: text('v1') },
      'recovered',
    ],
    [
      'another value',
      'GETXATTR',
      { size: 64, padding: 0, name: 'user.k' },
      'b',
      { value: text('v2') },
      'wrong-object',
    ],
    [
      'an attribute never seen',
      'GETXATTR',
      { size: 64, padding: 0, name: 'user.l' },
      'b',
      { value: text('v2') },
      'unknown',
    ],
  ])('%s', (_, operation, asked, name, fields, verdict) => {
    expect(answered(operation, asked, name, fields)).toMatchObject({ verdict });
  });

  it.each<[string, Fields, Judgement['verdict']]>([
    ['to the child', entry(77n, attrOf('a')), 'recovered'],
    ['to another object', entry(77n, attrOf('b')), 'wrong-object'],
    ['to nothing', entry(0n), 'rejected'],
  ])('a name in a stale directory that leads %s', (_, fields, verdict) => {
    const request = probe('LOOKUP', { name: 'a' }, 'd', { subject: objects.a });
    expect(judged(request, told(request, 'LOOKUP', fields))).toMatchObject({ verdict });
  });
});

describe('errors', () => {
  const failing = (error: number, recorded?: number): Judgement =>
    judged(getattrOf('a', recorded === undefined ? {} : { recorded: errorReply(recorded) }), {
      kind: 'reply',
      bytes: errorReply(error),
    });

  it.each(['ESTALE', 'ENOENT', 'EBADF', 'EINVAL', 'EIO'] as const)('%s rejects', (name) => {
    expect(failing(Errno[name])).toMatchObject({ verdict: 'rejected' });
    expect(evidence(failing(Errno[name], Errno[name]))).toMatch(`the recording has ${name} too`);
  });

  it.each([
    ['EACCES', 'unknown'],
    ['EPERM', 'unknown'],
    ['EROFS', 'unknown'],
    ['ESTALE', 'rejected'],
  ] as const)('%s to a change: %s', (name, verdict) => {
    const truncate = probe('SETATTR', setting({ valid: 8, size: 0n }), 'a');
    expect(judged(truncate, { kind: 'reply', bytes: errorReply(Errno[name]) })).toMatchObject({ verdict });
  });

  it.each(['ENODATA', 'ENOTDIR', 'ENOSYS'] as const)('%s does not tell', (name) => {
    expect(failing(Errno[name])).toMatchObject({ verdict: 'unknown' });
  });
});

describe('replies that the kernel refuses', () => {
  const refused = (refusal: Refusal): Judgement => {
    const request = getattrOf('a');
    return judged(request, { ...attributesOf(request, 'b'), refusal });
  };

  it('are malformed', () => {
    expect(refused(byDevice('long'))).toMatchObject({ verdict: 'malformed' });
    expect(evidence(refused(byCaller('attr', 'fuse_do_getattr')))).toMatch(
      /refuses the reply in fuse_do_getattr \(attr\): the application sees that with EIO/,
    );
  });

  it('for the type of another object, or with a warning only, are judged by that object', () => {
    expect(refused(byCaller('type', 'fuse_do_getattr'))).toMatchObject({ verdict: 'wrong-object' });
    expect(refused(warned('rootGeneration', 'fuse_iget'))).toMatchObject({ verdict: 'wrong-object' });
  });
});

describe('what the reply cannot tell is asked for', () => {
  it.each<[OperationName, Fields, Fields, Judgement['followUps']]>([
    ['OPEN', { flags: 0, openFlags: 0 }, { fh: 3n, openFlags: 0, backingId: 0 }, ['identify']],
    ['ACCESS', { mask: 4, padding: 0 }, {}, ['identify']],
    ['WRITE', writing(3n, 0n, text('x')), { size: 1, padding: 0 }, ['effects']],
    ['UNLINK', { name: 'x' }, {}, ['effects']],
    ['RELEASE', { fh: 3n, flags: 0, releaseFlags: 0, lockOwner: 0n }, {}, ['liveIds']],
  ])('%s', (operation, asked, fields, followUps) => {
    const request = probe(operation, asked, 'a');
    expect(judged(request, told(request, operation, fields))).toMatchObject({
      verdict: 'unknown',
      followUps,
    });
  });

  it('FORGET, which has no reply', () => {
    const request = probe('FORGET', { nlookup: 1n }, 'a');
    expect(judged(request, { kind: 'swallowed' })).toMatchObject({
      verdict: 'unknown',
      followUps: ['liveIds'],
    });
  });

  it('and what a change was to change is no evidence', () => {
    const asked = setting({ valid: 8, size: 16n });
    const request = probe('SETATTR', asked, 'a');
    const outcome = told(
      request,
      'SETATTR',
      attrReply(attrOf('a', { size: 16n, mtime: 9n, ctime: 9n, ino: 1n })),
    );
    expect(judged(request, outcome)).toMatchObject({ verdict: 'unknown', followUps: ['effects'] });
  });

  it('but for figures of the whole file system', () => {
    const st = {
      blocks: 1n,
      bfree: 1n,
      bavail: 1n,
      files: 1n,
      ffree: 1n,
      bsize: 1,
      namelen: 1,
      frsize: 1,
      padding: 0,
    };
    const request = probe('STATFS', {}, 'a');
    const outcome = told(request, 'STATFS', { st: { ...st, spare: [0, 0, 0, 0, 0, 0] } });
    expect(judged(request, outcome)).toMatchObject({ verdict: 'recovered', followUps: [] });
  });
});

describe('no reply', () => {
  const later = { answered: 0, unanswered: 3 };

  it('is a hang', () => {
    const judgement = judged(getattrOf('a'), { kind: 'silence', waitedMs: 500, later });
    expect(judgement).toMatchObject({ verdict: 'hang', signature: 'hang GETATTR node' });
    expect(evidence(judgement)).toMatch(/no reply within 500 ms\nnone of 3 later requests was answered/);
  });

  it('of one thread is one too, and says so', () => {
    const outcome = { kind: 'silence', waitedMs: 500, later: { answered: 2, unanswered: 1 } } as const;
    expect(evidence(judged(getattrOf('a'), outcome))).toMatch(/2 later requests were answered, 1 not/);
  });

  it('to one who waits for a lock is none', () => {
    const lk = { start: 0n, end: 1n, type: 1, pid: 5 };
    const request = probe('SETLKW', { fh: 3n, owner: 1n, lk, lkFlags: 0, padding: 0 }, 'a');
    expect(judged(request, { kind: 'silence', waitedMs: 500, later })).toMatchObject({ verdict: 'unknown' });
  });

  it('as nothing was sent', () => {
    const judgement = judged(getattrOf('a'), { kind: 'withheld', by: 'mark-bad' });
    expect(judgement).toMatchObject({ verdict: 'not-sent' });
  });

  it('as the server is no more', () => {
    const exit = { code: undefined, signal: 'SIGSEGV', stderr: [] };
    expect(judged(getattrOf('a'), { kind: 'ended', exit })).toMatchObject({
      verdict: 'crash',
      signature: 'GETATTR SIGSEGV',
    });
  });

  it("as the server ended with others in flight, too, is nobody's fault as yet", () => {
    const exit = { code: undefined, signal: 'SIGSEGV', stderr: [] };
    const among = { inFlight: 3, isFirst: false };
    const judgement = judged(getattrOf('a'), { kind: 'ended', exit, among });
    expect(judgement).toMatchObject({ verdict: 'unknown', signature: 'unknown GETATTR node' });
    expect(evidence(judgement)).toMatch(/one of 3 requests that were in flight then/);
    const first = judged(getattrOf('a'), { kind: 'ended', exit, among: { ...among, isFirst: true } });
    expect(first).toMatchObject({ verdict: 'crash', signature: 'GETATTR SIGSEGV' });
  });
});

describe('stale handles', () => {
  it('are told apart from stale nodes', () => {
    const both = [stale('a'), stale('a', 'handle')];
    expect(judged(getattrOf('a', { stale: both }), { kind: 'swallowed' }).idKind).toBe('node+handle');
    expect(judged(getattrOf('a', { stale: both.slice(1) }), { kind: 'swallowed' }).idKind).toBe('handle');
  });

  it('with a live nodeid are judged by what was read', () => {
    const request = { ...readOf('a'), stale: [stale('a', 'handle')] };
    expect(judged(request, told(request, 'READ', { data: contentOf('c') }))).toMatchObject({
      verdict: 'wrong-object',
      idKind: 'handle',
    });
  });
});

describe('verdicts', () => {
  const one = (verdict: Judgement['verdict'], ...lines: string[]): Judgement => ({
    verdict,
    op: 'WRITE',
    idKind: 'node',
    symbol: 1,
    signature: verdict,
    evidence: lines,
    followUps: ['effects'],
  });

  it('add up to the gravest, with all evidence once', () => {
    expect(
      gravest(one('unknown', 'sent', 'got'), one('wrong-object', 'sent', 'changed'), one('rejected')),
    ).toEqual({
      ...one('wrong-object', 'sent', 'got', 'changed'),
      followUps: [],
    });
  });

  it('are unsafe from malformed on', () => {
    expect(verdictNames.filter((name) => !isUnsafe(name))).toEqual([
      'not-sent',
      'rejected',
      'unknown',
      'recovered',
    ]);
  });

  it('need to know which object was meant', () => {
    const request = { ...getattrOf('a'), subject: undefined };
    const judgement = judged(request, attributesOf(request, 'b'));
    expect(judgement).toMatchObject({ verdict: 'unknown' });
    expect(evidence(judgement)).toMatch(/nothing is known of an object that the run does not know\nas \/b:/);
  });
});
