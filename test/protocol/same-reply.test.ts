import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecodedReply, decodeReply } from '#relight/protocol/decode.js';
import { differences } from '#relight/protocol/differences.js';
import { encodeError, encodeReply } from '#relight/protocol/encode.js';
import type { Fields, Value } from '#relight/protocol/layout.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';
import { type OperationName, operationNamed, operations } from '#relight/protocol/operations.js';
import { sameReply } from '#relight/protocol/same-reply.js';
import { bodyOf, requestOf, sessions } from './arbitrary.js';

const encoded = (name: OperationName, fields: Fields, request: Fields, negotiated: Negotiated): Uint8Array =>
  encodeReply({ name, header: { unique: 2n }, fields }, { fields: request }, negotiated);

const decoded = (
  bytes: Uint8Array,
  name: OperationName,
  fields: Fields,
  negotiated: Negotiated,
): DecodedReply => {
  const reply = decodeReply(bytes, { op: operationNamed(name), fields }, negotiated);
  if (reply.kind === 'decodeError') throw new Error(reply.reason);
  return reply;
};

const same = (name: OperationName, a: Fields, b: Fields, request: Fields = {}): boolean =>
  sameReply(
    encoded(name, a, request, newestNegotiated),
    encoded(name, b, request, newestNegotiated),
    { op: operationNamed(name), fields: request },
    newestNegotiated,
  );

describe('replies agree', () => {
  const file = { mode: 0o100644, size: 10n, nlink: 1 };
  const folder = { mode: 0o040755, size: 10n, nlink: 2 };

  it('whatever their ids and times are', () => {
    expect(
      same(
        'LOOKUP',
        { nodeid: 7n, generation: 1n, attr: { ...file, ino: 3n, mtime: 100n } },
        { nodeid: 9n, generation: 2n, attr: { ...file, ino: 4n, mtime: 200n } },
      ),
    ).toBe(true);
    expect(same('OPEN', { fh: 1n }, { fh: 0n })).toBe(true);
  });

  it('but not on size, mode, or whether there is a node', () => {
    const entry = { nodeid: 7n, attr: file };
    expect(same('LOOKUP', entry, { nodeid: 7n, attr: { ...file, size: 11n } })).toBe(false);
    expect(same('LOOKUP', entry, { nodeid: 7n, attr: { ...file, mode: 0o100600 } })).toBe(false);
    expect(same('LOOKUP', entry, { nodeid: 0n, attr: file })).toBe(false);
  });

  it('on a directory of any size', () => {
    expect(same('GETATTR', { attr: folder }, { attr: { ...folder, size: 4096n, nlink: 1 } })).toBe(true);
    expect(same('GETATTR', { attr: file }, { attr: { ...file, nlink: 2 } })).toBe(false);
  });

  it('on entries in any order', () => {
    const a = { name: 'a', ino: 1n, off: 1n, type: 8 };
    const b = { name: 'bee', ino: 2n, off: 2n, type: 4 };
    expect(
      same(
        'READDIR',
        { entries: [a, b] },
        {
          entries: [
            { ...b, off: 1n },
            { ...a, ino: 9n },
          ],
        },
      ),
    ).toBe(true);
    expect(same('READDIR', { entries: [a, b] }, { entries: [a] })).toBe(false);
    expect(same('READDIR', { entries: [a, b] }, { entries: [a, { ...b, name: 'bed' }] })).toBe(false);
    expect(same('READDIR', { entries: [a] }, { entries: [{ ...a, type: 4 }] })).toBe(false);
  });

  it('on data only if it is equal', () => {
    const bytes = (text: string): Fields => ({ data: new Uint8Array(Buffer.from(text)) });
    expect(same('READ', bytes('same'), bytes('same'))).toBe(true);
    expect(same('READ', bytes('same'), bytes('Same'))).toBe(false);
    expect(same('READ', bytes('same'), bytes('sam'))).toBe(false);
  });

  it('on errors only if they are equal', () => {
    const context = { op: operationNamed('OPEN'), fields: {} };
    const answer = (a: number, b: number): boolean =>
      sameReply(encodeError(2n, a), encodeError(4n, b), context, newestNegotiated);
    expect(answer(-2, -2)).toBe(true);
    expect(answer(-2, -116)).toBe(false);
    expect(answer(0, -2)).toBe(false);
  });
});

describe('bytes and fields give the same answer', () => {
  /** Takes each field from one of two. */
  const mixed = (a: Value, b: Value, take: () => boolean): Value => {
    const isFields = (value: Value): value is Fields =>
      typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
    if (isFields(a) && isFields(b))
      return Object.fromEntries(Object.keys(a).map((key) => [key, mixed(a[key], b[key], take)]));
    return take() ? b : a;
  };

  it.each(operations.filter(({ reply }) => reply !== undefined))(
    'for $name',
    ({ name, reply = [], ...op }) => {
      const pair = fc.constantFrom(...sessions).chain((negotiated) =>
        requestOf({ ...op, name, reply }, negotiated).chain((request) =>
          fc.record({
            negotiated: fc.constant(negotiated),
            request: fc.constant(request),
            a: bodyOf(reply, negotiated, request),
            b: bodyOf(reply, negotiated, request),
            takes: fc.infiniteStream(fc.nat(9).map((n) => n === 0)),
          }),
        ),
      );
      fc.assert(
        fc.property(pair, ({ negotiated, request, a, b, takes }) => {
          const live = mixed(a, b, () => takes.next().value === true) as Fields;
          const recorded = encoded(name, a, request, negotiated);
          const other = encoded(name, live, request, negotiated);
          const read = [recorded, other].map((bytes) =>
            decodeReply(bytes, { op: operationNamed(name), fields: request }, negotiated),
          );
          fc.pre(read.every(({ kind }) => kind === 'reply'));
          const found = differences(
            decoded(recorded, name, request, negotiated),
            decoded(other, name, request, negotiated),
          );
          const agree = sameReply(recorded, other, { op: operationNamed(name), fields: request }, negotiated);
          expect({ agree, found: found.map(({ path }) => path) }).toEqual({
            agree: found.length === 0,
            found: found.map(({ path }) => path),
          });
        }),
        { numRuns: 60 },
      );
    },
  );

  it('differences name the fields', () => {
    const read = (fields: Fields) =>
      decoded(encoded('LOOKUP', fields, {}, newestNegotiated), 'LOOKUP', {}, newestNegotiated);
    const mode = 0o100644;
    expect(
      differences(
        read({ nodeid: 1n, attr: { mode, size: 1n } }),
        read({ nodeid: 2n, attr: { mode, size: 2n } }),
      ),
    ).toEqual([{ path: 'attr.size', recorded: 1n, live: 2n }]);
  });
});
