import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Content } from '#relight/oracle/content.js';
import { type Fingerprint, REGULAR, type Scalars } from '#relight/oracle/fingerprint.js';
import { Identities } from '#relight/oracle/identity.js';
import { addressesIn } from '#relight/oracle/leak.js';
import {
  attributes,
  attrReply,
  entry,
  errorReply,
  getattr,
  plainRecords,
  reading,
  record,
  session,
  setting,
  text,
  writing,
} from './messages.js';
import { attrOf, contentOf, knownWorld, lookup, nameOf, objects, observe, ROOT, step } from './world.js';

const tells = (scalars: Scalars): Fingerprint => ({ scalars });
const holds = (bytes: Uint8Array): Fingerprint => ({
  scalars: {},
  data: { offset: 0n, bytes, asked: 4096 },
});
const unlike = (known: Identities, told: Fingerprint, key: number): string =>
  known.identify(told, key).evidence.join('\n');

describe('facts follow acknowledged changes', () => {
  const written = (known: Identities): Identities => {
    observe(known, step('WRITE', writing(1n, 0n, text('J')), { size: 1, padding: 0 }, { node: objects.a }));
    return known;
  };

  it('WRITE', () => {
    const known = written(knownWorld());
    expect(known.identify(holds(text('Jello')), objects.a).kind).toBe('same');
    expect(known.identify(holds(text('hello')), objects.a).kind).toBe('stranger');
    expect(known.factsOf(objects.a)?.scalars.size).toBeUndefined();
  });

  it('SETATTR', () => {
    const known = knownWorld();
    const told = attrReply(attrOf('b', { size: 2n, mtime: 50n }));
    observe(known, step('SETATTR', setting({ valid: 8, size: 2n }), told, { node: objects.b }));
    expect(known.factsOf(objects.b)?.scalars).toMatchObject({ size: 2n, mtime: 50n * 10n ** 9n + 2n });
    expect(known.identify(holds(text('he')), objects.b).kind).not.toBe('stranger');
  });

  it('COPY_FILE_RANGE changes the file that it goes to', () => {
    const known = knownWorld();
    const asked = { fhIn: 1n, offIn: 0n, nodeidOut: 2n, fhOut: 2n, offOut: 0n, len: 4n, flags: 0n };
    const ids = { node: objects.a, second: objects.b };
    observe(known, step('COPY_FILE_RANGE', asked, { size: 4, padding: 0 }, ids));
    expect(known.factsOf(objects.a)?.content.spans).toHaveLength(1);
    expect(known.factsOf(objects.b)?.content.spans).toHaveLength(0);
  });

  it('OPEN with O_TRUNC', () => {
    const known = knownWorld();
    const opened = { fh: 1n, openFlags: 0, backingId: 0 };
    observe(known, step('OPEN', { flags: 0o1001, openFlags: 0 }, opened, { node: objects.a }));
    expect(known.factsOf(objects.a)?.content.spans).toHaveLength(0);
  });

  it('a file that was written may change its times when it is closed', () => {
    const known = written(knownWorld());
    observe(known, step('GETATTR', getattr, attrReply(attrOf('a')), { node: objects.a }));
    expect(known.factsOf(objects.a)?.scalars.mtime).toBeDefined();
    const flush = { fh: 1n, unused: 0, padding: 0, lockOwner: 0n };
    observe(known, step('FLUSH', flush, {}, { node: objects.a }));
    expect(known.factsOf(objects.a)?.scalars.mtime).toBeUndefined();
  });

  it('RENAME moves a name, UNLINK takes one away and a link with it', () => {
    const known = knownWorld();
    const asked = { newdir: 14n, oldname: 'a', newname: 'z' };
    observe(known, step('RENAME', asked, {}, { node: ROOT, second: objects.d }));
    observe(known, step('UNLINK', { name: 'b' }, {}, { node: ROOT }));
    expect(Object.fromEntries(known.factsOf(ROOT)?.names ?? [])).toMatchObject({
      a: false,
      b: false,
      c: true,
    });
    expect(known.factsOf(objects.d)?.names.get('z')).toBe(true);
    expect(known.factsOf(objects.d)?.children.get('z')).toBe(objects.a);
    expect(known.factsOf(objects.b)?.scalars.nlink).toBeUndefined();
  });

  it('what was not answered may have happened or not', () => {
    const known = knownWorld();
    known.unanswered(
      step('WRITE', writing(1n, 0n, text('J')), { size: 1, padding: 0 }, { node: objects.a }),
      0,
    );
    for (const contents of ['Jello', 'hello'])
      expect(known.identify(holds(text(contents)), objects.a).kind).toBe('unclear');
    known.unanswered(step('UNLINK', { name: 'b' }, {}, { node: ROOT }), 0);
    expect(known.factsOf(ROOT)?.names.has('b')).toBe(false);
  });

  it('errors change nothing', () => {
    const known = knownWorld();
    known.observe(step('UNLINK', { name: 'b' }, {}, { node: ROOT }), errorReply(1), 0);
    expect(known.factsOf(ROOT)?.names.get('b')).toBe(true);
  });
});

describe('readings of a directory', () => {
  it('give each object its attributes by name, whatever the order of the server', () => {
    const known = new Identities({ negotiated: session, nameOf });
    const plus = (name: 'a' | 'b', off: number) => ({
      ...record(name, off),
      ...entry(BigInt(10 + off), attrOf(name)),
    });
    const recorded = step(
      'READDIRPLUS',
      reading(1n, 0n),
      { entries: [{ ...record('.', 9), ...entry(0n) }, plus('a', 1), plus('b', 2)] },
      { node: ROOT, children: [objects.a, objects.b] },
    );
    const live = step('READDIRPLUS', reading(1n, 0n), { entries: [plus('b', 5), plus('a', 6)] }, {});
    known.observe(recorded, live.reply ?? new Uint8Array(), 0);
    expect(known.factsOf(objects.a)?.scalars).toMatchObject({ size: 5n });
    expect(known.factsOf(objects.b)?.scalars).toMatchObject({ size: 16n });
    expect(known.factsOf(ROOT)).toMatchObject({ listed: true });
  });

  it('that were whole tell a stranger from the names alone', () => {
    const known = knownWorld();
    observe(known, step('READDIR', reading(1n, 0n), plainRecords('x', 'y'), { node: objects.d }));
    const told = (complete: boolean, ...names: string[]): Fingerprint => ({
      scalars: {},
      names: { known: names, complete },
    });
    expect(known.identify(told(true, 'x'), objects.d).kind).toBe('stranger');
    expect(known.identify(told(false, 'x'), objects.d).kind).toBe('same');
    expect(unlike(known, told(true, 'q'), objects.d)).toMatch('holds "q" too, lacks "x" "y"');
    expect(known.identify(told(true), objects.d).kind).toBe('stranger');
  });
});

describe('facts that do not survive a restart', () => {
  const inodeAlone = tells({ type: REGULAR, ino: 101n });

  it('are no evidence once they changed on objects that were looked up anew', () => {
    const known = knownWorld();
    expect(known.identify(tells({ type: REGULAR, ino: 101n, mtime: 5n }), objects.a).kind).toBe('unclear');
    for (const name of ['b', 'c'] as const) observe(known, lookup(name, 2n, { ino: 7n, mtime: 1n }), 1);
    const told = tells({ type: REGULAR, ino: 999n, mtime: 5n, size: 5n, ctime: 1001n * 10n ** 9n + 3n });
    expect(known.identify(told, objects.a).kind).toBe('same');
  });

  it('are evidence once they did not', () => {
    const known = knownWorld();
    expect(known.identify(inodeAlone, objects.a).kind).toBe('unclear');
    for (const name of ['b', 'c'] as const) observe(known, lookup(name, 2n), 1);
    expect(known.identify(inodeAlone, objects.a).kind).toBe('same');
    expect(known.identify(inodeAlone, objects.b).kind).toBe('other');
    expect(known.identify(tells({ ino: 999n }), objects.b).kind).toBe('stranger');
  });

  it('are inode numbers that are taken for nodeids, which jump', () => {
    const known = new Identities({ negotiated: session, nameOf });
    const inodes = { a: 5000n, b: 5n, c: 900n } as const;
    const ids = Object.entries(inodes) as ['a' | 'b' | 'c', bigint][];
    for (const incarnation of [0, 1])
      for (const [name, ino] of ids) observe(known, lookup(name, ino, { ino }), incarnation);
    expect(known.identify(tells({ type: REGULAR, ino: 5000n }), objects.a).kind).toBe('same');
  });

  it('are not inode numbers that only echo the nodeid', () => {
    const known = new Identities({ negotiated: session, nameOf });
    observe(known, lookup('a', 2n, { ino: 2n }));
    observe(known, lookup('b', 3n, { ino: 3n }));
    const told = { ...attributes({ ...attrOf('a'), ino: 3n }) };
    expect(told.ino).toBe(3n);
    expect(unlike(known, tells({ type: REGULAR, ino: 3n, size: 5n }), objects.a)).not.toMatch('ino');
  });
});

describe('what now stands at a known path', () => {
  const full = (name: keyof typeof objects, more: Scalars = {}): Fingerprint => {
    const { scalars } = knownWorld().factsOf(objects[name]) ?? { scalars: {} };
    return tells({ ...scalars, ...more });
  };
  const later = { incarnation: 1, isStoreChanged: true };

  it('may be the same object, with other numbers when all have others', () => {
    const known = knownWorld();
    for (const name of ['a', 'b', 'c'] as const)
      known.meet(objects[name], full(name, { ino: 9n, ctime: 9n }), later);
    expect(known.identify(full('a', { ino: 9n, ctime: 9n }), objects.a).kind).toBe('same');
    expect(known.identify(full('a', { ino: 8n, ctime: 8n }), objects.a).kind).toBe('same');
  });

  const others = ['b', 'c', 'd', 'twin1', 'unread'] as const;
  const met = (told: Fingerprint, when = later): Identities => {
    const known = knownWorld();
    known.meet(objects.a, told, when);
    for (const name of others) known.meet(objects[name], full(name), when);
    return known;
  };

  it.each<[string, Fingerprint]>([
    ['the inode numbers of the others stayed', full('a', { ino: 777n })],
    ['the times of the others stayed', full('a', { mtime: 777n })],
    ['its size is another', full('a', { size: 777n })],
    ['its contents are others', { ...full('a'), ...holds(text('HELLO')) }],
  ])('is another object when %s', (_, told) => {
    const known = met(told);
    const found = known.identify(told, objects.a);
    expect(found.kind).toBe('other');
    expect(found.evidence.join('\n')).toMatch(
      /\/a is gone: another object is in its place: [\s\S]*as \/a \(in its place\): /,
    );
  });

  it('is the same object, whatever was lost of it, when nobody changed the store', () => {
    const told = full('a', { size: 777n });
    expect(met(told, { ...later, isStoreChanged: false }).identify(told, objects.a).kind).toBe('same');
  });

  it('goes on being that other object', () => {
    const told = full('a', { size: 777n });
    const known = met(told);
    known.identify(told, objects.a);
    known.meet(objects.a, told, { ...later, incarnation: 2 });
    expect(known.identify(told, objects.a)).toMatchObject({ kind: 'other', others: [-1] });
  });

  it('is found by its path, which follows renaming', () => {
    const known = knownWorld();
    const asked = { newdir: 14n, oldname: 'a', newname: 'z' };
    observe(known, step('RENAME', asked, {}, { node: ROOT, second: objects.d }));
    expect([known.keyAt('/'), known.keyAt('/b'), known.keyAt('/d/z')]).toEqual([ROOT, objects.b, objects.a]);
    expect([known.keyAt('/a'), known.keyAt('/b/c')]).toEqual([undefined, undefined]);
  });
});

describe('objects', () => {
  it('of the run are called by the run, own ones by their name', () => {
    const known = knownWorld();
    const key = known.add('/new');
    expect([known.nameOf(objects.a), known.nameOf(key), known.nameOf(known.add('/x'))]).toEqual([
      '/a',
      '/new',
      '/x',
    ]);
  });

  it('that came while the server was down are recognised', () => {
    const known = knownWorld();
    const key = known.add('/a (new)');
    known.gone(objects.a, 'replaced');
    const told = step('LOOKUP', { name: 'a' }, entry(3n, { ...attrOf('a'), size: 99n, mtime: 77n }), {
      node: ROOT,
      child: key,
    });
    observe(known, told, 1);
    const found = known.identify(tells({ type: REGULAR, size: 99n, mtime: 77n * 10n ** 9n + 2n }), objects.a);
    expect(found).toMatchObject({ kind: 'other', others: [key] });
  });

  it('that are steps by number are asked for when they are needed', () => {
    const asked: number[] = [];
    const known = new Identities({
      negotiated: session,
      nameOf,
      stepAt: (index) => {
        asked.push(index);
        return lookup('a', 2n);
      },
    });
    known.observe(5, lookup('a', 2n).reply ?? new Uint8Array(), 0);
    expect(asked).toEqual([]);
    expect(known.factsOf(objects.a)?.scalars).toMatchObject({ size: 5n });
    expect(asked).toEqual([5]);
  });

  it('are recognised although a time of theirs changed, when they are the only ones left', () => {
    const known = knownWorld();
    for (const name of ['c', 'd'] as const)
      known.meet(objects[name], tells(known.factsOf(objects[name])?.scalars ?? {}), {
        incarnation: 1,
        isStoreChanged: false,
      });
    const { scalars } = known.factsOf(objects.b) ?? { scalars: {} };
    const found = known.identify({ scalars: { ...scalars, ctime: 5n } }, objects.a);
    expect(found).toMatchObject({ kind: 'other', others: [objects.b] });
  });

  it('fit what they told themselves', () => {
    const known = knownWorld();
    for (const name of ['a', 'b', 'c', 'unread'] as const) {
      const { scalars } = known.factsOf(objects[name]) ?? { scalars: {} };
      expect(known.identify({ scalars }, objects[name]).kind).toBe('same');
    }
    expect(known.identify(holds(contentOf('c')), objects.c).kind).toBe('same');
  });
});

describe('contents', () => {
  const span = fc.record({ start: fc.nat(40), bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }) });
  const edit = fc.oneof(span, fc.record({ start: fc.nat(60), end: fc.nat(80) }));

  it('are what was put last, piece by piece', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
        const content = new Content();
        const model: (number | undefined)[] = Array.from({ length: 100 }, () => undefined);
        for (const one of edits) {
          if ('bytes' in one) {
            content.put(one.start, one.bytes);
            one.bytes.forEach((byte, index) => {
              model[one.start + index] = byte;
            });
          } else {
            content.drop(one.start, one.end);
            for (let at = one.start; at < one.end; at++) model[at] = undefined;
          }
        }
        const known = content.spans.flatMap(({ start, bytes }) =>
          [...bytes].map((byte, i) => [start + i, byte]),
        );
        expect(known).toEqual(model.flatMap((byte, at) => (byte === undefined ? [] : [[at, byte]])));
        const whole = Uint8Array.from(model, (byte) => byte ?? 0);
        expect(content.match(0, whole)).toMatchObject({ compared: known.length, differsAt: undefined });
      }),
    );
  });

  it('differ at the first byte that is known to be another', () => {
    const content = new Content();
    content.put(4, text('abcd'));
    content.put(10, text('xyz'));
    expect(content.match(2, text('..abcd..xYz'))).toMatchObject({
      compared: 7,
      differsAt: 11,
      telling: true,
    });
    expect(content.match(8, text('??'))).toMatchObject({ compared: 0, differsAt: undefined, telling: false });
  });
});

describe('addresses among bytes', () => {
  const low = { start: 0x40_0000n, end: 0x50_0000n, permissions: 'rw-p', path: '' };
  const high = { start: 0x5500_0000_0000n, end: 0x5500_0000_1000n, permissions: 'rw-p', path: '[heap]' };
  const words = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);

  it.each<[string, Uint8Array, number]>([
    ['one in the heap', words(1n, 0x5500_0000_0010n), 1],
    ['one just behind it', words(0x5500_0000_1000n), 0],
    ['a small number that might be one', words(0x40_0010n, 7n), 0],
    ['two such numbers', words(0x40_0010n, 0x40_0020n), 2],
    ['half a word', words(0x5500_0000_0010n).subarray(0, 7), 0],
  ])('%s', (_, bytes, count) => {
    expect(addressesIn(bytes, [high, low])).toHaveLength(count);
    expect(addressesIn(bytes, [])).toEqual([]);
  });
});
