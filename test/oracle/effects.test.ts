import { describe, expect, it } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import {
  changesOf,
  judgeEffects,
  judgeTwice,
  type ObjectState,
  type Observed,
} from '#relight/oracle/effects.js';
import { DIRECTORY, REGULAR, type Scalars } from '#relight/oracle/fingerprint.js';
import { judgeLiveIds, type LiveUse, type UseResult } from '#relight/oracle/live-ids.js';
import type { Probe } from '#relight/oracle/probe.js';
import type { Fields } from '#relight/protocol/layout.js';
import type { OperationName } from '#relight/protocol/operations.js';
import { setting, text, writing } from './messages.js';
import { knownWorld, type Name, objects, probe, ROOT, sceneOf } from './world.js';

const scene = sceneOf(knownWorld());
const O_APPEND = 0o2000;

const file = (contents: string, more: Scalars = {}): ObjectState => ({
  scalars: { type: REGULAR, size: BigInt(contents.length), mode: 0o644, mtime: 1n, ctime: 1n, ...more },
  data: text(contents),
  xattrs: new Map([['user.k', undefined]]),
});
const directory = (...names: string[]): ObjectState => ({
  scalars: { type: DIRECTORY, mode: 0o755, mtime: 1n, ctime: 1n },
  names,
});
const seen = (name: Name | '/', meant: boolean, before: ObjectState, after: ObjectState): Observed => ({
  key: name === '/' ? ROOT : objects[name],
  meant,
  before,
  after,
});
const same = (name: Name | '/', state: ObjectState): Observed => seen(name, false, state, state);

const effects = (asked: Probe, objects: readonly Observed[], acknowledged = true) =>
  judgeEffects(asked, { objects, acknowledged }, scene);
const sent = (operation: OperationName, asked: Fields, name: Name = 'a'): Probe =>
  probe(operation, asked, name);

const truncate = sent('SETATTR', setting({ valid: 8, size: 0n }));
const write = sent('WRITE', writing(3n, 1n, text('XY')));
const setxattr = sent('SETXATTR', {
  size: 1,
  flags: 0,
  setxattrFlags: 0,
  padding: 0,
  name: 'user.k',
  value: text('v'),
});
const create = sent('MKDIR', { mode: 0o755, umask: 0, name: 'new' }, 'd');
const unlink = sent('UNLINK', { name: 'old' }, 'd');
const rename = sent('RENAME', { newdir: 1n, oldname: 'old', newname: 'new' }, 'd');
const withValue = (value: string): ObjectState => ({
  ...file('x'),
  xattrs: new Map([['user.k', text(value)]]),
});

describe('objects that were not meant', () => {
  it.each<[string, Probe, ObjectState, ObjectState, RegExp]>([
    ['truncated', truncate, file('hello'), file(''), /^\/b: size 5 became 0$/m],
    [
      'written to',
      write,
      file('hello'),
      file('hXYlo'),
      /^\/b: contents 5 bytes, at 1 "ello" became 5 bytes, at 1 "XYlo"$/m,
    ],
    ['given an attribute', setxattr, file('x'), withValue('v'), /^\/b: attribute "user.k" changed$/m],
    ['that lost a name', unlink, directory('x', 'old'), directory('x'), /^\/b: lost "old"$/m],
    ['that got a name', create, directory('x'), directory('x', 'new'), /^\/b: got "new"$/m],
    [
      'that vanished',
      unlink,
      file('x'),
      { scalars: {}, error: Errno.ENOENT },
      /^\/b: cannot be read any more: ENOENT$/m,
    ],
    ['touched', write, file('x'), file('x', { mtime: 5n }), /^\/b: mtime 0\.000000001 became 0\.000000005$/m],
  ])('%s', (_, asked, before, after, why) => {
    const judgement = effects(asked, [seen('b', false, before, after)]);
    expect(judgement).toMatchObject({ verdict: 'wrong-object', idKind: 'node' });
    expect(judgement?.evidence.join('\n')).toMatch(why);
  });

  it('count even when the reply was an error', () => {
    expect(effects(truncate, [seen('b', false, file('hello'), file(''))], false)).toMatchObject({
      verdict: 'wrong-object',
    });
  });

  it('may have other inode numbers, and directories other times', () => {
    expect(changesOf(file('x', { ino: 1n }), file('x', { ino: 2n }))).toEqual([]);
    const later = { ...directory('x'), scalars: { ...directory().scalars, mtime: 9n, nlink: 7 } };
    expect(changesOf(directory('x'), later)).toEqual([]);
  });
});

describe('a rename that leaves its old name', () => {
  it.each<[string, readonly string[]]>([
    ['exchanged two names that the case had made', []],
    ['was between two names of one file', ['old', 'new']],
  ])('%s', (_, before) => {
    expect(effects(rename, [seen('d', true, directory(...before), directory('old', 'new'))])).toBeUndefined();
  });

  it('is lost when the new one is not there either', () => {
    const both = seen('d', true, directory('old'), directory('old'));
    expect(effects(rename, [both])).toMatchObject({ verdict: 'lost' });
  });
});

describe('the object that was meant', () => {
  it.each<[string, Probe, readonly Observed[]]>([
    ['truncated', truncate, [seen('a', true, file('hello'), file(''))]],
    ['written to', write, [seen('a', true, file('hello'), file('hXYlo'))]],
    [
      'appended to',
      sent('WRITE', writing(3n, 0n, text('XY'), O_APPEND)),
      [seen('a', true, file('hello'), file('helloXY'))],
    ],
    ['given an attribute', setxattr, [seen('a', true, file('x'), withValue('v'))]],
    ['got a name', create, [seen('d', true, directory(), directory('new'))]],
    ['lost a name', unlink, [seen('d', true, directory('old'), directory())]],
    ['renamed in', rename, [seen('d', true, directory('old'), directory('new'))]],
    [
      'renamed between',
      rename,
      [
        seen('d', true, directory('old'), directory()),
        seen('/', true, directory('d'), directory('d', 'new')),
      ],
    ],
  ])('shows the change: %s', (_, asked, objects) => {
    expect(effects(asked, [...objects, same('b', file('b'))])).toMatchObject({ verdict: 'recovered' });
  });

  it.each<[string, Probe, Observed]>([
    ['truncated', truncate, seen('a', true, file('hello'), file('hello'))],
    ['written to', write, seen('a', true, file('hello'), file('hello'))],
    ['given an attribute', setxattr, seen('a', true, file('x'), file('x'))],
    ['got a name', create, seen('d', true, directory(), directory())],
    ['lost a name', unlink, seen('d', true, directory('old'), directory('old'))],
    ['half renamed', rename, seen('d', true, directory('old'), directory())],
  ])('does not show it: %s', (_, asked, object) => {
    expect(effects(asked, [object])).toMatchObject({ verdict: 'lost' });
    expect(effects(asked, [object], false)).toBeUndefined();
  });

  it.each<[string, Probe, Observed]>([
    ['the same size', truncate, seen('a', true, file(''), file(''))],
    ['the same bytes', write, seen('a', true, file('hXYlo'), file('hXYlo'))],
    ['unread', write, seen('a', true, { scalars: {} }, { scalars: {} })],
    ['a name that was there', create, seen('d', true, directory('new'), directory('new'))],
  ])('tells nothing: %s', (_, asked, object) => {
    expect(effects(asked, [object])).toBeUndefined();
  });
});

describe('a resent request', () => {
  const append = sent('WRITE', writing(3n, 0n, text('XY'), O_APPEND));
  const twice = (asked: Probe, object: Observed, error = 0) =>
    judgeTwice(asked, { objects: [object], error }, scene);

  it.each<[string, Probe, Observed, number]>([
    ['appended twice', append, seen('a', true, file('a'), file('aXYXY')), 0],
    ['was created before', create, seen('d', true, directory(), directory('new')), Errno.EEXIST],
    ['was removed before', unlink, seen('d', true, directory('old'), directory()), Errno.ENOENT],
    ['was renamed before', rename, seen('d', true, directory('old'), directory('new')), Errno.ENOENT],
  ])('%s', (_, asked, object, error) => {
    expect(twice(asked, object, error)).toMatchObject({ verdict: 'twice' });
  });

  it.each<[string, Probe, Observed, number]>([
    ['appended once', append, seen('a', true, file('a'), file('aXY')), 0],
    ['written twice to one place', write, seen('a', true, file('hello'), file('hXYlo')), 0],
    ['created once', create, seen('d', true, directory(), directory('new')), 0],
    [
      'refused as the name was there from the start',
      create,
      seen('d', true, directory('new'), directory('new')),
      Errno.EEXIST,
    ],
    ['refused for another reason', unlink, seen('d', true, directory('old'), directory('old')), Errno.EACCES],
  ])('is not twice: %s', (_, asked, object, error) => {
    expect(twice(asked, object, error)).toBeUndefined();
  });
});

describe('live ids after a stale one was given back', () => {
  const good = (more: Scalars = {}): UseResult => ({
    kind: 'good',
    told: { scalars: { type: REGULAR, size: 5n, ino: 1n, mtime: 3n, ...more } },
  });
  const use = (after: UseResult, before: UseResult = good()): LiveUse => ({
    kind: 'node',
    value: 3n,
    object: objects.b,
    by: 'GETATTR',
    before,
    after,
  });
  const forget = sent('FORGET', { nlookup: 1n });

  it.each<[string, UseResult, string, RegExp]>([
    ['fails', { kind: 'error', errno: Errno.ESTALE }, 'ESTALE', /live node 3 of \/b: GETATTR gives ESTALE/],
    ['is not answered', { kind: 'silence', waitedMs: 500 }, 'hang', /gets no reply within 500 ms/],
    ['is another object', good({ ino: 2n }), 'other object', /is answered for another object: ino 2, not 1/],
  ])('one %s', (_, after, signature, why) => {
    const judgement = judgeLiveIds(forget, [use(good()), use(after)], scene);
    expect(judgement).toMatchObject({ verdict: 'poison', signature: `poison FORGET node: ${signature}` });
    expect(judgement?.evidence.join('\n')).toMatch(why);
  });

  it('one ends the server: a delayed bomb is how it ended', () => {
    const stderr = ['fuse internal error: node 3 not found'];
    const after: UseResult = { kind: 'ended', exit: { code: undefined, signal: 'SIGABRT', stderr } };
    const judgement = judgeLiveIds(forget, [use(good()), use(after), use(after)], scene);
    expect(judgement).toMatchObject({
      verdict: 'abort',
      signature: 'FORGET then SIGABRT: libfuse fuse internal error: node N not found',
    });
    expect(judgement?.evidence.join('\n')).toMatch(
      /afterwards live node 3 of \/b: GETATTR, or one of 1 other uses of live ids, ends the server\nthe server was killed/,
    );
  });

  it('all work', () => {
    expect(judgeLiveIds(forget, [use(good({ mtime: 9n }))], scene)).toMatchObject({ verdict: 'rejected' });
  });

  it('none worked before', () => {
    const failing: UseResult = { kind: 'error', errno: Errno.EIO };
    expect(judgeLiveIds(forget, [use(failing, failing)], scene)).toBeUndefined();
    expect(judgeLiveIds(forget, [], scene)).toBeUndefined();
  });
});
