import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test as plain } from 'vitest';
import { Content } from '#relight/specimen/store/content.js';
import { editStore } from '#relight/specimen/store/edit.js';
import { test } from '../support/leak-guard.js';
import { bytes, started } from './conversation.js';

describe('content', () => {
  const offset = fc.nat(200_000);
  const step = fc.oneof(
    fc.record({
      what: fc.constant('write' as const),
      at: offset,
      length: fc.nat(90_000),
      fill: fc.integer({ min: 1, max: 255 }),
    }),
    fc.record({
      what: fc.constant('resize' as const),
      at: offset,
      length: fc.constant(0),
      fill: fc.constant(0),
    }),
    fc.record({
      what: fc.constant('punch' as const),
      at: offset,
      length: fc.nat(150_000),
      fill: fc.constant(0),
    }),
  );

  plain('behaves as an array of bytes', () => {
    fc.assert(
      fc.property(fc.nat(150_000), fc.array(step, { maxLength: 12 }), (size, steps) => {
        const content = new Content(size, (at, target) => {
          for (let n = 0; n < target.length; n++) target[n] = (at + n) % 253;
        });
        let model = Uint8Array.from({ length: size }, (_, n) => n % 253);
        const grown = (length: number) => {
          const larger = new Uint8Array(length);
          larger.set(model.subarray(0, length));
          return larger;
        };
        for (const { what, at, length, fill } of steps) {
          if (what === 'resize') {
            content.resize(at);
            model = grown(at);
          } else if (what === 'punch') {
            content.punch(at, length);
            model.fill(0, at, at + length);
          } else {
            content.write(at, new Uint8Array(length).fill(fill));
            if (length > 0) model = grown(Math.max(model.length, at + length)).fill(fill, at, at + length);
          }
        }
        expect(content.size).toBe(model.length);
        expect(Buffer.compare(content.read(0, content.size), model)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  plain('a terabyte of hole takes no memory', () => {
    const content = new Content();
    content.resize(2 ** 40);
    content.write(2 ** 39, bytes('x'));
    expect(content.seek(0, 'data')).toBe(2 ** 39);
    expect(content.seek(2 ** 39, 'hole')).toBe(2 ** 39 + 65_536);
    expect(content.read(2 ** 39, 1)).toEqual(bytes('x'));
    content.punch(0, 2 ** 40);
    expect(content.read(2 ** 39, 1)).toEqual(bytes('\0'));
  });
});

describe('a store in a file', () => {
  const everything = (talk: ReturnType<typeof started>) => {
    const nodeid = talk.walk('made');
    return {
      attr: talk.ask('GETATTR', {}, { nodeid }).attr,
      file: talk.contents(talk.walk('made/f')),
      link: talk.ask('READLINK', {}, { nodeid: talk.walk('made/l') }).target,
      xattr: talk.ask('GETXATTR', { name: 'user.k', size: 99 }, { nodeid: talk.walk('made/f') }).value,
      removed: talk.errno('LOOKUP', { name: 'run.sh' }),
      moved: talk.label(talk.walk('made/ä\udcff')),
    };
  };

  const modify = (talk: ReturnType<typeof started>) => {
    const { nodeid } = talk.ask('MKDIR', { name: 'made', mode: 0o750 });
    const file = talk.ask('CREATE', { name: 'f', mode: 0o600, flags: 2 }, { nodeid });
    talk.ask('WRITE', { fh: file.fh, offset: 3n, data: bytes('abc') }, { nodeid: file.nodeid });
    talk.ask('SETXATTR', { name: 'user.k', value: Uint8Array.of(0, 255) }, { nodeid: file.nodeid });
    talk.ask('SYMLINK', { name: 'l', target: 'to/ü' }, { nodeid });
    talk.ask('UNLINK', { name: 'run.sh' });
    talk.ask('RENAME', { oldname: 'hello.txt', newname: 'ä\udcff', newdir: nodeid });
  };

  test('comes back as it was, names that are no UTF-8 included', ({ folder }) => {
    const store = join(folder, 'store');
    const first = started({ store });
    modify(first);
    const before = everything(first);
    first.memfs.close();
    const second = started({ store });
    expect(everything(second)).toEqual(before);
    second.memfs.close();
  });

  test('keeps what was acknowledged even when the last line is torn', ({ folder }) => {
    const store = join(folder, 'store');
    const first = started({ store, seed: 5 });
    first.ask('MKDIR', { name: 'kept', mode: 0o700 });
    first.memfs.close();
    appendFileSync(store, '[{"kind":"ino');
    const second = started({ store, seed: 9 });
    expect(second.walk('kept')).toBeGreaterThan(1n);
    second.ask('MKDIR', { name: 'more', mode: 0o700 });
    second.memfs.close();
    expect(readFileSync(store, 'utf8').split('\n')).toHaveLength(4);
    const third = started({ store });
    expect(third.walk('more')).toBeGreaterThan(1n);
    expect(third.contents(third.walk('coloured.txt'))).toBe(
      started({ seed: 5 }).contents(started({ seed: 5 }).walk('coloured.txt')),
    );
    third.memfs.close();
  });

  test('a file that is no store is refused and left alone', ({ folder }) => {
    const store = join(folder, 'store');
    for (const text of ['hello\n', '{"relightStore":99}\n', '']) {
      writeFileSync(store, text);
      expect(() => started({ store })).toThrow('is not a store');
      expect(readFileSync(store, 'utf8')).toBe(text);
    }
  });
});

describe('a store that changes while no server runs', () => {
  const now = { sec: 9n, nsec: 0 };

  test('names are added, removed, replaced, written and renamed', ({ folder }) => {
    const store = join(folder, 'store');
    started({ store }).memfs.close();
    editStore(
      store,
      [
        { kind: 'add', path: '/docs/0-first', text: 'first' },
        { kind: 'remove', path: '/run.sh' },
        { kind: 'replace', path: 'hello.txt', text: 'another' },
        { kind: 'write', path: 'coloured.txt', text: 'rewritten' },
        { kind: 'rename', path: 'empty', to: 'docs/empty' },
      ],
      now,
    );
    const talk = started({ store });
    expect(talk.contents(talk.walk('docs/0-first'))).toBe('first');
    expect(talk.contents(talk.walk('hello.txt'))).toBe('another');
    expect(talk.contents(talk.walk('coloured.txt'))).toBe('rewritten');
    expect(talk.walk('coloured.txt')).toBe(14n);
    expect(talk.errno('LOOKUP', { name: 'run.sh' })).toBe(2);
    expect(talk.walk('docs/empty')).toBe(6n);
    talk.memfs.close();
  });

  test('a replaced file gets the number of the old one: inode serves it, inode+generation refuses', ({
    folder,
  }) => {
    for (const [ids, expected] of [
      ['inode', 0],
      ['inode+generation', 116],
    ] as const) {
      const store = join(folder, ids);
      const before = started({ store, ids });
      const stale = before.walk('run.sh');
      before.memfs.close();
      editStore(store, [{ kind: 'replace', path: 'run.sh', text: 'x' }], now);
      const talk = started({ store, ids });
      expect(talk.errno('GETATTR', {}, { nodeid: stale })).toBe(expected);
      talk.memfs.close();
    }
  });

  test('what cannot be done is said by name', ({ folder }) => {
    const store = join(folder, 'store');
    started({ store }).memfs.close();
    expect(() => editStore(store, [{ kind: 'remove', path: 'docs/nix' }], now)).toThrow(
      'cannot remove docs/nix: ENOENT',
    );
    expect(() => editStore(join(folder, 'none'), [], now)).toThrow('there is no store');
  });
});
