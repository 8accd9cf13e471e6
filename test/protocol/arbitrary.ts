// Arbitrary messages of any row of the operation table, made from its parts.

import fc from 'fast-check';
import { bytesOf, textOf } from '#relight/protocol/byte-string.js';
import { InitFlag } from '#relight/protocol/flags.js';
import {
  type FieldSpec,
  type Fields,
  type Struct,
  scalarSizes,
  type Value,
} from '#relight/protocol/layout.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';
import type { Operation } from '#relight/protocol/operations.js';
import { holds, type Part, type SimplePart } from '#relight/protocol/parts.js';
import { fieldsWithin, sizeUnder } from '#relight/protocol/prefix.js';

/** Sessions that differ in the layout of at least one struct. */
export const sessions: readonly Negotiated[] = [
  ...[3, 4, 8, 11, 12, 22, 35].map((minor) => ({ ...newestNegotiated, minor })),
  { ...newestNegotiated, minor: 37, flags: InitFlag.SECURITY_CTX },
  newestNegotiated,
  { ...newestNegotiated, flags: InitFlag.SETXATTR_EXT },
];

export const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const u32 = fc.nat(0xffff_ffff);
const numbers: Readonly<Record<string, fc.Arbitrary<number | bigint>>> = {
  u16: fc.nat(0xffff),
  u32,
  mode: u32,
  oflags: u32,
  size: u32,
  choice: u32,
  i32: fc.integer(),
  i64: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
};

const fieldOf = (spec: FieldSpec, size: number): fc.Arbitrary<Value> => {
  if (typeof spec === 'string') return numbers[spec] ?? u64;
  if (spec.kind === 'bits') return numbers[spec.width] ?? u64;
  if (spec.kind === 'struct') return structOf(spec, size);
  const length = size / scalarSizes[spec.of];
  return fc.array(numbers[spec.of] ?? u64, { minLength: length, maxLength: length });
};

/** Fields of a struct's first bytes. */
export const structOf = (layout: Struct, size: number): fc.Arbitrary<Fields> =>
  fc.record(Object.fromEntries(fieldsWithin(layout, size).map((f) => [f.name, fieldOf(f.spec, f.size)])));

const nameBytes = (min: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ min, max: 255, minLength: 0, maxLength: 40 });
const nameOf = (min: number): fc.Arbitrary<string> =>
  nameBytes(min).map((bytes) => textOf(bytes, 0, bytes.length));

const recordOf = (layout: Struct): fc.Arbitrary<Fields> =>
  fc.tuple(structOf(layout, layout.size), nameBytes(0), fc.boolean()).map(([fields, name, dirty]) => {
    const gap = (8 - ((layout.size + name.length) % 8)) % 8;
    const padding = dirty && gap > 0 ? { padding: new Uint8Array(gap).fill(7) } : {};
    return { ...fields, namelen: name.length, name: textOf(name, 0, name.length), ...padding };
  });

const simpleOf = (part: SimplePart, session: Negotiated): fc.Arbitrary<Fields> => {
  if (part.kind === 'struct') return structOf(part.layout, sizeUnder(part, session));
  if (part.kind === 'name')
    return nameOf(part.length === undefined ? 1 : 0).map((name) => ({ [part.field]: name }));
  if (part.kind === 'text') return nameOf(0).map((name) => ({ [part.field]: name }));
  if (part.kind === 'bytes') return fc.uint8Array({ maxLength: 100 }).map((data) => ({ [part.field]: data }));
  const item = part.kind === 'list' ? structOf(part.of, part.of.size) : recordOf(part.of);
  return fc.array(item, { maxLength: 5 }).map((items) => ({ [part.field]: items }));
};

const lengthOf = (value: Value): number =>
  (typeof value === 'string' ? bytesOf(value) : (value as { length: number })).length;

const counted = (part: SimplePart, fields: Fields): Fields => {
  if (part.kind === 'list') {
    const [first = '', ...others] = part.count;
    const zero = Object.fromEntries(others.map((path) => [path, 0]));
    return { ...fields, ...zero, [first]: lengthOf(fields[part.field]) };
  }
  if ((part.kind === 'bytes' || part.kind === 'name') && part.length !== undefined)
    return { ...fields, [part.length]: lengthOf(fields[part.field]) };
  return fields;
};

const resolved = (parts: readonly Part[], fields: Fields, request: Fields): readonly SimplePart[] =>
  parts.flatMap((part) => {
    if (part.kind !== 'choice') return [part];
    const value = (part.when.from === 'request' ? request : fields)[part.when.field];
    return holds(part.when, Number(value)) ? part.then : part.otherwise;
  });

const all = (parts: readonly SimplePart[], session: Negotiated): fc.Arbitrary<Fields> =>
  fc.tuple(...parts.map((part) => simpleOf(part, session))).map((pieces) => Object.assign({}, ...pieces));

/** Fields of a body whose counts agree with what they count. */
export const bodyOf = (
  parts: readonly Part[],
  session: Negotiated,
  request: Fields = {},
): fc.Arbitrary<Fields> => {
  const fixed = parts.filter((part) => part.kind !== 'choice');
  return all(fixed, session).chain((start) => {
    const chosen = resolved(parts, start, request);
    return all(
      chosen.filter((part) => !fixed.includes(part)),
      session,
    ).map((rest) => chosen.reduce((fields, part) => counted(part, fields), { ...start, ...rest } as Fields));
  });
};

/** An operation under a session, with the fields of its request. */
export const requestOf = (op: Operation, session: Negotiated): fc.Arbitrary<Fields> =>
  bodyOf(op.request, session).chain((fields) =>
    // A size of 0 asks another question; chance would never find it.
    typeof fields.size === 'number' && !('data' in fields) && !('value' in fields)
      ? fc.constantFrom(fields, { ...fields, size: 0 })
      : fc.constant(fields),
  );
