import { describe, expect, it } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { type IdEvent, IdTally } from '#relight/oracle/id-features.js';
import { classifyIds, type MappedRange } from '#relight/oracle/id-kind.js';
import { IdObserver, type ObservedId } from '#relight/oracle/id-observer.js';

const heap: MappedRange = {
  start: 0x5555_0000_0000n,
  end: 0x5555_0010_0000n,
  permissions: 'rw-p',
  path: '[heap]',
};
const code: MappedRange = {
  start: 0x5554_0000_0000n,
  end: 0x5554_0010_0000n,
  permissions: 'r-xp',
  path: '/bin/x',
};
const ranges = [code, heap];

const create = (value: bigint, ino?: bigint, isNew = false): IdEvent => ({
  act: 'create',
  value,
  count: 1n,
  ino,
  isNew,
});
const release = (value: bigint, count = 1n): IdEvent => ({
  act: 'release',
  value,
  count,
  ino: undefined,
  isNew: false,
});

const classify = (
  what: 'node' | 'handle',
  events: readonly IdEvent[],
  maps: readonly MappedRange[] = ranges,
) => {
  const tally = new IdTally(what === 'handle');
  for (const event of events) tally.add(event);
  return classifyIds({ what, tally, ranges: maps });
};

const times = <T>(count: number, make: (i: bigint) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(BigInt(i)));
const random = rng(7);

describe('nodeids', () => {
  it.each([
    ['pointer', times(20, (i) => create(heap.start + i * 96n, 1000n + i * 7n))],
    ['pointer', times(20, (i) => create(heap.start + i * 96n, heap.start + i * 96n))],
    ['inode', times(20, (i) => create(1000n + ((i * 37n) % 97n), 1000n + ((i * 37n) % 97n)))],
    ['inode', times(20, (i) => create((9n << 32n) | (500n + ((i * 37n) % 97n)), 500n + ((i * 37n) % 97n)))],
    ['counter', times(20, (i) => create(2n + i, 1000n + i * 7n))],
    ['counter', times(20, (i) => create(((i * 7919n) << 40n) | (2n + i), 1000n + ((i * 31n) % 57n)))],
    ['index', times(40, (i) => create(1n + (i % 8n), i)).flatMap((event) => [event, release(event.value)])],
    ['opaque', times(20, () => create(random.u64(), random.u64()))],
    ['opaque', times(20, (i) => create(code.start + i * 64n, i))],
  ] as const)('%s', (kind, events) => {
    const found = classify('node', events);
    expect(found.kind).toBe(kind);
    expect(found.pointers).toBe(kind === 'pointer' ? 20 : 0);
    expect(found.evidence.length).toBeGreaterThan(0);
  });

  describe('that equal attr.ino', () => {
    const found = (count: number, from = 2n): IdEvent[] => times(count, (i) => create(from + i, from + i));

    it('are a counter when they are 2, 3, 4 … in order of lookup', () => {
      const { kind, evidence } = classify('node', found(9));
      expect(kind).toBe('counter');
      expect(evidence).toEqual(['2 to 10 without a gap in order of lookup; attr.ino is a copy']);
    });

    it.each([
      ['too few', found(5)],
      ['not from 2 on', found(9, 3n)],
      ['a gap', [...found(8), create(11n, 11n)]],
      ['two in another order', [...found(8), create(11n, 11n), create(10n, 10n)]],
      ['all new, as an allocator numbers them', found(9).map((event) => ({ ...event, isNew: true }))],
      ['one comes back for its file', [...found(9), release(4n), create(4n, 4n)]],
    ])('are inodes: %s', (_, events) => expect(classify('node', events).kind).toBe('inode'));

    it('are inodes in any order but that of counting', () => {
      for (let round = 0; round < 200; round++) {
        const events = found(random.int(6, 40));
        const [a, b] = [random.int(0, events.length - 2), events.length - 1];
        [events[a], events[b]] = [events[b] ?? create(0n), events[a] ?? create(0n)];
        expect(classify('node', events).kind).toBe('inode');
      }
    });
  });

  it('are not pointers because inode numbers lie where the data is', () => {
    const data: MappedRange = { start: 0x40_0000n, end: 0x200_0000n, permissions: 'rw-p', path: '/bin/x' };
    const found = classify(
      'node',
      times(50, (i) => create(0x50_0000n + i * 16n, 0x50_0000n + i * 16n)),
      [data],
    );
    expect(found).toMatchObject({ kind: 'inode', pointers: 0 });
  });

  it('say that they look like addresses when nobody read the memory map', () => {
    const found = classify(
      'node',
      times(9, () => create(heap.start + BigInt(random.int(0, 1 << 30)))),
      [],
    );
    expect(found.kind).toBe('opaque');
    expect(found.evidence[0]).toContain('look like addresses');
  });

  it('that come again for the same node are counted once', () => {
    const events = times(30, (i) => create(2n + (i % 3n), 70n + (i % 3n)));
    expect(classify('node', events)).toMatchObject({ count: 3, kind: 'counter' });
  });

  it('that are all ones are a mark of go-fuse, not a number', () => {
    const events = [create(2n ** 64n - 1n, 2n ** 64n - 1n), ...times(9, (i) => create(2n + i, 50n + i))];
    expect(classify('node', events)).toMatchObject({ kind: 'counter', count: 9 });
  });

  it('of none are opaque', () => expect(classify('node', [])).toMatchObject({ count: 0, kind: 'opaque' }));
});

describe('handles', () => {
  it.each([
    ['constant', times(10, () => create(0n))],
    ['constant', times(10, () => create(6n))],
    ['fd', times(10, () => create(6n)).flatMap((event) => [event, release(6n)])],
    ['fd', times(30, (i) => create(5n + (i % 4n))).flatMap((e, i) => (i > 3 ? [release(e.value), e] : [e]))],
    ['counter', times(30, (i) => create(1n + i)).flatMap((event) => [event, release(event.value)])],
    ['index', times(30, (i) => create(i % 4n)).flatMap((e, i) => (i > 3 ? [release(e.value), e] : [e]))],
    ['pointer', times(10, (i) => create(heap.start + (i % 2n) * 32n)).flatMap((e) => [e, release(e.value)])],
  ] as const)('%s', (kind, events) => {
    expect(classify('handle', events).kind).toBe(kind);
  });
});

describe('a session', () => {
  const event = (
    group: ObservedId['group'],
    incarnation: number,
    value: bigint,
    ino?: bigint,
  ): ObservedId => ({
    ...create(value, ino),
    group,
    incarnation,
  });

  it('says what a restart repeated, and for how many it named another inode', () => {
    const observer = new IdObserver();
    for (let i = 0n; i < 10n; i++) observer.add(event('nodes', 0, 2n + i, 50n + i));
    for (let i = 0n; i < 10n; i++) observer.add(event('nodes', 1, 2n + i, i < 4n ? 50n + i : 90n + i));
    const { nodeids } = observer.report(() => ranges);
    expect(nodeids).toMatchObject({ kind: 'counter', count: 20 });
    expect(nodeids.evidence).toContain(
      'after restart 1, 10 of 10 had been given before, 6 of them for another inode',
    );
  });

  it('puts the more dangerous of file and directory handles first', () => {
    const observer = new IdObserver();
    for (let i = 0n; i < 9n; i++) observer.add(event('files', 0, 0n));
    for (let i = 0n; i < 9n; i++) observer.add(event('directories', 0, heap.start + i * 48n));
    const report = observer.report(() => ranges);
    expect(report.handles).toMatchObject({ kind: 'pointer', pointers: 9, count: 10 });
    expect(report.files.kind).toBe('constant');
    expect(report.directories.kind).toBe('pointer');
  });
});
