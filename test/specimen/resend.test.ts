/** Requests that the kernel sends again after a restart, to a server that repeats them and to one that recalls its answers. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { UNIQUE_RESEND } from '#relight/protocol/flags.js';
import { Answers } from '#relight/specimen/engine/resend.js';
import { test } from '../support/leak-guard.js';
import { bytes, type Conversation, started } from './conversation.js';

/** Sends a request that is answered, restarts on the same store, and gives the conversation with the new incarnation. */
const interrupted = (folder: string, resent: string, send: (talk: Conversation) => unknown): Conversation => {
  const options = { store: join(folder, `store-${resent}`), resent, ids: 'counter', unknown: 'estale' };
  const first = started(options);
  send(first);
  first.memfs.close();
  return started(options);
};

describe('a resent request that took effect before', () => {
  test('MKDIR and UNLINK: repeated they fail, recalled they succeed', ({ folder }) => {
    for (const [resent, mkdir, unlink] of [
      ['repeat', Errno.EEXIST, Errno.ENOENT],
      ['recall', 0, 0],
    ] as const) {
      const talk = interrupted(folder, resent, (first) => {
        first.ask('MKDIR', { name: 'd', mode: 0o700 }, { unique: 100n });
        first.ask('UNLINK', { name: 'run.sh' }, { unique: 102n });
      });
      expect(talk.errno('MKDIR', { name: 'd', mode: 0o700 }, { unique: 100n | UNIQUE_RESEND })).toBe(mkdir);
      expect(talk.errno('UNLINK', { name: 'run.sh' }, { unique: 102n | UNIQUE_RESEND })).toBe(unlink);
      talk.memfs.close();
    }
  });

  test('RENAME there and back: repeated it moves another file', ({ folder }) => {
    for (const [resent, label] of [
      ['repeat', 'hello.txt'],
      ['recall', 'run.sh'],
    ] as const) {
      const move = { oldname: 'run.sh', newname: 'moved', newdir: 1n };
      const talk = interrupted(folder, resent, (first) => first.ask('RENAME', move, { unique: 100n }));
      talk.ask('RENAME', { oldname: 'hello.txt', newname: 'run.sh', newdir: 1n });
      talk.say('RENAME', move, { unique: 100n | UNIQUE_RESEND });
      expect(talk.label(talk.walk('moved'))).toBe(label);
      talk.memfs.close();
    }
  });

  test('CREATE recalled: the file that was made, under ids of this incarnation', ({ folder }) => {
    const create = { name: 'f', mode: 0o600, flags: 2 };
    const talk = interrupted(folder, 'recall', (first) => first.ask('CREATE', create, { unique: 100n }));
    talk.walk('hello.txt');
    const { nodeid, fh } = talk.ask('CREATE', create, { unique: 100n | UNIQUE_RESEND });
    expect(talk.walk('f')).toBe(nodeid);
    expect(talk.ask('WRITE', { fh, offset: 0n, data: bytes('abc') }, { nodeid }).size).toBe(3);
    talk.memfs.close();
  });

  test('under the ids that the new incarnation gave: it is recalled all the same', ({ folder }) => {
    const make = { name: 'd', mode: 0o700 };
    const talk = interrupted(folder, 'recall', (first) => {
      first.walk('hello.txt');
      first.ask('MKDIR', make, { unique: 100n, nodeid: first.walk('docs') });
    });
    const docs = talk.walk('docs');
    expect(talk.errno('MKDIR', make, { unique: 100n | UNIQUE_RESEND, nodeid: docs })).toBe(0);
    talk.memfs.close();
  });

  test('OPEN with O_TRUNC recalled: a handle of this incarnation, and nothing is cut again', ({ folder }) => {
    const flags = 0o1002;
    const talk = interrupted(folder, 'recall', (first) =>
      first.ask('OPEN', { flags }, { unique: 100n, nodeid: first.walk('hello.txt') }),
    );
    const nodeid = talk.walk('hello.txt');
    const other = talk.ask('OPEN', { flags: 2 }, { nodeid });
    talk.ask('WRITE', { fh: other.fh, offset: 0n, data: bytes('abc') }, { nodeid });
    const { fh } = talk.ask('OPEN', { flags }, { unique: 100n | UNIQUE_RESEND, nodeid });
    expect(talk.ask('READ', { fh, offset: 0n, size: 9 }, { nodeid }).data).toEqual(bytes('abc'));
    talk.memfs.close();
  });

  test('another request under the same unique is not mistaken for it', ({ folder }) => {
    const talk = interrupted(folder, 'recall', (first) =>
      first.ask('MKDIR', { name: 'd', mode: 0o700 }, { unique: 100n }),
    );
    expect(talk.errno('MKDIR', { name: 'e', mode: 0o700 }, { unique: 100n | UNIQUE_RESEND })).toBe(0);
    expect(talk.walk('e')).toBeGreaterThan(1n);
    talk.memfs.close();
  });
});

test('the store remembers answers only for a server that recalls them', ({ folder }) => {
  for (const resent of ['repeat', 'recall']) {
    const store = join(folder, resent);
    const talk = started({ store, resent });
    talk.ask('MKDIR', { name: 'd', mode: 0o700 });
    talk.memfs.close();
    expect(readFileSync(store, 'utf8').includes('"answer"')).toBe(resent === 'recall');
  }
  expect(new Answers([]).recall(new Uint8Array(10))).toBeUndefined();
});
