import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { type CompareOptions, compareReply, type Divergence } from '#relight/oracle/compare.js';
import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import type { Fields } from '#relight/protocol/layout.js';
import { type OperationName, operations } from '#relight/protocol/operations.js';
import { replyContext } from '#relight/protocol/reply-context.js';
import { bodyOf, requestOf } from '../protocol/arbitrary.js';
import {
  attrReply,
  entry,
  errorReply,
  getattr,
  plainRecords,
  reading,
  record,
  reply,
  request,
  session,
  text,
} from './messages.js';

const compared = (
  name: OperationName,
  asked: Fields,
  [recorded, live]: readonly [Fields | Uint8Array, Fields | Uint8Array],
  options: CompareOptions = {},
): Divergence | undefined => {
  const template = request(name, asked);
  const bytes = (side: Fields | Uint8Array, unique: bigint) =>
    side instanceof Uint8Array ? side : reply(name, template, side, unique);
  const exchange = { index: 3, seq: 17, template, reply: bytes(recorded, 4n) };
  return compareReply(exchange, bytes(live, 90n), session, options);
};

const lookup = { name: 'a' };

describe('what may differ', () => {
  it.each<[string, OperationName, Fields, Fields, Fields]>([
    ['ids and times', 'LOOKUP', lookup, entry(5n), entry(0x5581_0000_1230n, { ctime: 9n, ino: 4n })],
    ['access time', 'GETATTR', getattr, attrReply(), attrReply({ atime: 77n, atimensec: 5 })],
    [
      'size and links of a directory',
      'GETATTR',
      getattr,
      attrReply({ mode: 0o40755, size: 4096n, nlink: 3 }),
      attrReply({ mode: 0o40755, size: 60n, nlink: 1 }),
    ],
    ['order of records', 'READDIR', reading(3n, 0n), plainRecords('a', 'b'), plainRecords('b', 'a')],
  ])('%s', (_, name, asked, recorded, live) => {
    expect(compared(name, asked, [recorded, live])).toBeUndefined();
  });

  it('an unanswered request has nothing to compare', () => {
    const exchange = { index: 0, seq: 0, template: request('GETATTR', getattr), reply: undefined };
    expect(compareReply(exchange, errorReply(Errno.EIO), session)).toBeUndefined();
  });
});

describe('what may not', () => {
  it.each<[string, OperationName, Fields, Fields | Uint8Array, Fields | Uint8Array, Partial<Divergence>]>([
    [
      'the outcome',
      'LOOKUP',
      lookup,
      entry(5n),
      errorReply(Errno.ENOENT, 90n),
      { field: 'error', expected: 'OK', actual: 'ENOENT', live: 'LOOKUP #90 = ENOENT' },
    ],
    [
      'the size of a file',
      'GETATTR',
      getattr,
      attrReply(),
      attrReply({ size: 0n }),
      {
        ...{ op: 'GETATTR', seq: 17, step: 3, field: 'attr.size', expected: '5', actual: '0' },
        reason: 'no rule lets it differ',
      },
    ],
    [
      'the mode',
      'LOOKUP',
      lookup,
      entry(5n),
      entry(5n, { mode: 0o100600 }),
      { field: 'attr.mode', expected: '0100644', actual: '0100600' },
    ],
    [
      'a negative entry',
      'LOOKUP',
      lookup,
      entry(5n),
      entry(0n),
      { field: 'nodeid', expected: '5', actual: '0' },
    ],
    [
      'one byte of many',
      'READ',
      reading(3n, 0n),
      { data: text('hello world') },
      { data: text('hello_world') },
      { field: 'data', expected: '11 bytes, at 5 " world"', actual: '11 bytes, at 5 "_world"' },
    ],
    [
      'a missing name',
      'READDIR',
      reading(3n, 0n),
      plainRecords('a', 'b'),
      plainRecords('a'),
      { field: 'entries[b]', actual: 'absent' },
    ],
    [
      'a record of another type',
      'READDIR',
      reading(3n, 0n),
      { entries: [record('a', 1), record('b', 2)] },
      { entries: [record('b', 1, { type: 4 }), record('a', 2)] },
      { field: 'entries[b].type', expected: '8', actual: '4' },
    ],
    [
      'a body that is no such reply',
      'GETATTR',
      getattr,
      attrReply(),
      new Uint8Array([20, 0, 0, 0, 0, 0, 0, 0, 90, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
      { field: 'length', live: 'reply needs 104 bytes at offset 16, has 4' },
    ],
  ])('%s', (_, name, asked, recorded, live, expected) => {
    expect(compared(name, asked, [recorded, live])).toMatchObject(expected);
  });
});

describe('strict', () => {
  it.each<[string, OperationName, Fields, Fields, Fields, Partial<Divergence>]>([
    [
      'times',
      'GETATTR',
      getattr,
      attrReply(),
      attrReply({ mtime: 9n }),
      { field: 'attr.mtime', reason: 'passes unless strict: times come from the clock of the run' },
    ],
    [
      'order',
      'READDIR',
      reading(3n, 0n),
      plainRecords('a', 'b'),
      plainRecords('b', 'a'),
      { field: 'entries[a].ino', expected: '1', actual: '2' },
    ],
    [
      'order alone',
      'READDIR',
      reading(3n, 0n),
      { entries: [record('a', 1), record('b', 2)] },
      { entries: [record('b', 2), record('a', 1)] },
      {
        field: 'entries[0]',
        expected: '"a"',
        reason: 'passes unless strict: a directory has no order of its own',
      },
    ],
  ])('%s', (_, name, asked, recorded, live, expected) => {
    expect(compared(name, asked, [recorded, live])).toBeUndefined();
    expect(compared(name, asked, [recorded, live], { strict: true })).toMatchObject(expected);
  });

  it('leaves ids alone', () => {
    expect(compared('LOOKUP', lookup, [entry(5n), entry(6n)], { strict: true })).toBeUndefined();
  });
});

describe('dropped payload', () => {
  const template = request('READ', reading(3n, 0n));
  const whole = reply('READ', template, { data: text('hello world') });
  const exchange = { index: 0, seq: 0, template, reply: whole.subarray(0, 20) };

  it('compares the length and what was kept', () => {
    const same = reply('READ', template, { data: text('hellOOOOOOO') }).fill(0x68, 16, 17);
    expect(compareReply(exchange, same, session)).toBeUndefined();
    const shorter = reply('READ', template, { data: text('hell') });
    expect(compareReply(exchange, shorter, session)).toMatchObject({ op: 'READ' });
    const other = reply('READ', template, { data: text('HELLO world') });
    expect(compareReply(exchange, other, session)).toMatchObject({ op: 'READ', field: 'data' });
  });
});

describe('any reply', () => {
  const answered = operations.filter(({ reply }) => reply !== undefined);

  it.each(answered)('$name agrees with itself, strict or not, and any bytes give a value', (op) => {
    const sample = requestOf(op, session).chain((fields) =>
      fc.record({
        fields: fc.constant(fields),
        body: bodyOf(op.reply ?? [], session, fields),
        other: bodyOf(op.reply ?? [], session, fields),
        noise: fc.uint8Array({ maxLength: 200 }),
      }),
    );
    fc.assert(
      fc.property(sample, fc.boolean(), ({ fields, body, other, noise }, strict) => {
        const template = encodeRequest(
          { name: op.name, header: { unique: 4n, nodeid: 1n }, fields },
          session,
        );
        const context = replyContext(template, session);
        const encoded = encodeReply(
          { name: op.name, header: { unique: 4n }, fields: body },
          context,
          session,
        );
        const exchange = { index: 0, seq: 0, template, reply: encoded };
        expect(compareReply(exchange, Uint8Array.from(encoded), session, { strict })).toBeUndefined();
        for (const live of [
          encodeReply({ name: op.name, header: { unique: 4n }, fields: other }, context, session),
          noise,
        ]) {
          const found = compareReply(exchange, live, session, { strict });
          if (found !== undefined) expect(`${found.field}${found.expected}${found.actual}`).not.toBe('');
        }
      }),
      { numRuns: 30 },
    );
  });
});
