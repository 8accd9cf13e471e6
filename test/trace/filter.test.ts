import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { isFilterError, parseFilter } from '#relight/trace/filter.js';
import { matches, mayHold } from '#relight/trace/filter-match.js';
import { context, reading, written } from './support.js';
import { Talk } from './talk.js';

const session = written(
  (writer) => {
    const talk = new Talk(writer);
    talk.lookup(1n, 'a.txt', 0x7f00_1234_5678n, 42n);
    talk.fail(talk.ask('LOOKUP', 1n, { name: 'missing' }), 2);
    talk.open(0x7f00_1234_5678n, 3n);
    talk.read(0x7f00_1234_5678n, 3n, Buffer.from('hello'), 2_000_000n);
    talk.write(0x7f00_1234_5678n, 3n, Buffer.alloc(5000));
    talk.ask('FORGET', 0x7f00_1234_5678n, { nlookup: 1n });
    talk.invalidate(1n, 'a.txt');
    talk.answer('READDIR', talk.ask('READDIR', 1n, { fh: 4n, size: 4096 }), {
      entries: [
        { ino: 1n, off: 1n, namelen: 1, type: 4, name: '.' },
        { ino: 42n, off: 2n, namelen: 5, type: 8, name: 'a.txt' },
      ],
    });
    talk.ask('GETATTR', 1n);
  },
  { blockBytes: 4096 },
);

const parsed = (text: string) => {
  const filter = parseFilter(text);
  if (isFilterError(filter)) throw new Error(filter.message);
  return filter;
};

/** Sequence numbers of the frames that match. */
const select = (text: string): number[] =>
  reading(session, (trace) =>
    [...decodedFrames(trace)]
      .filter((frame) => matches(parsed(text), frame, context.startTimeNs))
      .map(({ frame }) => frame.seq),
  );

describe('a filter', () => {
  it.each([
    ['op==READ', [6, 7]],
    ['op == read && error == 0', [7]],
    ['op==FUSE_WRITE', [8, 9]],
    ['op!=LOOKUP && op!=READ && op!=WRITE', [4, 5, 10, 11, 12, 13, 14]],
    ['error==ENOENT', [3]],
    ['error==-2', [3]],
    ['error', [3]],
    ['error==OK && op==OPEN', [5]],
    ['nodeid==0x7f0012345678 && kind==request', [4, 6, 8, 10]],
    ['name=="missing"', [2, 3]],
    ["name=='a.txt' && op==LOOKUP", [0, 1]],
    ['name =~ "^mis"', [2, 3]],
    ['reply.attr.ino==42', [1]],
    ['attr.ino==42', [1]],
    ['entries.name=="a.txt"', [13]],
    ['reply.entries.type==4', [13]],
    ['latency>1ms', [7]],
    ['latency >= 1.9ms && latency < 2.1ms', [7]],
    ['length>=4k', [8]],
    ['request.fh==3 && kind==reply', [7, 9]],
    ['fh==3 && kind==request', [6, 8]],
    ['data=="hello"', [7]],
    ['direction==toServer && (op==OPEN || op==FORGET)', [4, 10]],
    ['op==NOTIFY_INVAL_ENTRY', [11]],
    ['op=~"^NOTIFY"', [11]],
    ['kind==notification && parent==1', [11]],
    ['seq<2', [0, 1]],
    ['time<30us', [0, 1, 2]],
    ['uid==1000 && op==GETATTR', [14]],
    ['header.pid==77 && op==GETATTR', [14]],
    ['attr.mode & 0x8000 && op==LOOKUP', [1]],
    ['!(op==READ) && !(op==WRITE) && seq>=5 && seq<11', [5, 10]],
    ['op==LOOKUP && !error', [1]],
    ['nlookup', [10]],
    ['unique==2', [0, 1]],
    ['nodeid>4294967296 && op==FORGET', [10]],
  ])('%s', (text, expected) => {
    expect(select(text)).toEqual(expected);
  });

  it.each([
    ['', 0, 'a field, such as op or nodeid', 'end of the filter'],
    ['op==', 4, 'a value', 'end of the filter'],
    ['op==REED', 4, 'an operation such as LOOKUP (did you mean READ?)', '"REED"'],
    ['nodid==3', 0, 'a field (did you mean nodeid?)', '"nodid"'],
    ['reply.attr.inode==3', 0, 'a field', '"reply.attr.inode"'],
    ['error==ENOSUCH', 7, 'an error number or a name such as ENOENT', '"ENOSUCH"'],
    ['direction==up', 11, 'toServer or toKernel', '"up"'],
    ['op==READ op==WRITE', 9, '&&, || or the end', '"op"'],
    ['(op==READ', 9, '")"', 'end of the filter'],
    ['op==READ && ', 12, 'a field, such as op or nodeid', 'end of the filter'],
    ['name=~"("', 6, 'a regular expression', '"("'],
    ['name=~abc', 6, 'a regular expression in quotes', '"abc"'],
    ['latency>5parsec', 8, 'a number, such as 12, 0x1f, 64k or 1.5ms', '"5parsec"'],
    ['nodeid==0x', 8, 'a number, such as 12, 0x1f, 64k or 1.5ms', '"0x"'],
    ['nodeid==0xg1', 8, 'a number, such as 12, 0x1f, 64k or 1.5ms', '"0xg1"'],
    ['op == READ; rm', 10, 'a field, a value or an operator', '";"'],
    ['name=="open', 6, 'a field, a value or an operator', '"\\""'],
  ])('%s is refused with its place', (text, position, expected, found) => {
    const error = parseFilter(text);
    expect(error).toMatchObject({ kind: 'filterError', position, found });
    expect(isFilterError(error) && error.expected.startsWith(expected)).toBe(true);
  });

  it('refuses what would overflow the stack', () => {
    expect(parseFilter(`${'('.repeat(1e5)}op`)).toMatchObject({ kind: 'filterError' });
    expect(parseFilter(`${'!'.repeat(1e5)}op`)).toMatchObject({ kind: 'filterError' });
  });

  it('never throws on any text', () => {
    const words = fc.constantFrom(
      'op',
      '==',
      'READ',
      '&&',
      '(',
      ')',
      '!',
      '"',
      '0x',
      '12',
      '&',
      'reply.',
      '=~',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(text, (any) =>
        ['filterError', 'has', 'compare', 'and', 'or', 'not'].includes(parseFilter(any).kind),
      ),
    );
  });
});

describe('blocks chosen by a filter', () => {
  const long = written(
    (writer) => {
      const talk = new Talk(writer);
      const blocked = talk.ask('SETLKW', 7n, { fh: 9n });
      for (let i = 0; i < 600; i++) {
        if (i % 100 === 50) talk.fail(talk.ask('LOOKUP', 1n, { name: `no-${i}` }), 2);
        if (i % 200 === 120) talk.read(BigInt(1000 + i), 3n, Buffer.alloc(100));
        talk.lookup(BigInt(1 + (i >> 4)), `name-${i}`, BigInt(5000 + i));
      }
      talk.fail(blocked, 4);
    },
    { blockBytes: 4096 },
  );

  it.each([
    'op==READ',
    'nodeid==1120',
    'error!=0',
    'error==EINTR',
    'error==ENOENT && seq>400',
    'seq>=300 && seq<310',
    'time>9ms && op==LOOKUP',
    'timeNs<1700000000123956789',
    'op==SETLKW',
    'nodeid==7 && kind==reply',
    'name=="name-300" || nodeid==7',
    '!(op==LOOKUP)',
    'op==NOTIFY_DELETE',
  ])('%s finds the same as reading all', (text) => {
    const filter = parsed(text);
    reading(long, (trace) => {
      const start = trace.header.startTimeNs;
      const find = (blocks?: Parameters<typeof mayHold>[1][]) =>
        [...decodedFrames(trace, blocks && { blocks: (block) => blocks.includes(block) })]
          .filter((frame) => matches(filter, frame, start))
          .map(({ frame, op, latencyNs }) => [frame.seq, op, latencyNs]);
      const chosen = trace.blocks.filter((block) => mayHold(filter, block, start));
      expect(find(chosen)).toEqual(find());
      expect(trace.blocks.length).toBeGreaterThan(20);
      if (text !== '!(op==LOOKUP)' && text !== 'name=="name-300" || nodeid==7')
        expect(chosen.length).toBeLessThan(trace.blocks.length / 2 + 2);
    });
  });
});
