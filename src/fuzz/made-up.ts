/**
 * Requests made up from the layout columns of the operation table: usual values in every field, each flag in turn, ids of a
 * condition with and without it.
 */

import { encodeRequest } from '../protocol/encode.js';
import type { FieldSpec, Fields, MutableFields, Struct, Value } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Operation } from '../protocol/operations.js';
import type { NamePart, Part, SimplePart } from '../protocol/parts.js';
import { fieldsWithin, sizeUnder } from '../protocol/prefix.js';

/** Names that cases create and remove. Few, so that a campaign does not fill the file system. */
export const scratchNames: readonly string[] = Array.from({ length: 16 }, (_, index) => `relight-${index}`);
const XATTR = 'user.relight';
const DATA = Buffer.from('relight-was-here');
const PAGE = 4096;
const REGULAR_FOR_OWNER = 0o100600;
const O_RDWR = 2;
const OWNER = 0x7265_6c69_6768_7401n;

const usual: Readonly<Record<string, number | bigint>> = {
  size: PAGE,
  length: BigInt(PAGE),
  mode: REGULAR_FOR_OWNER,
  oflags: O_RDWR,
  owner: OWNER,
};

/** Fields that are not what others of their kind are: a umask of usual bits would take the type away. */
const unusual: Readonly<Record<string, number>> = { umask: 0o022 };

/** O_* that a server may take another way for: to read, to write, to append. */
const oflags: readonly number[] = [0, 1, 0o2001];
/** Besides 0: F_WRLCK and F_UNLCK, SEEK_CUR to SEEK_HOLE, XATTR_CREATE and XATTR_REPLACE, keep size and punch hole. */
const choices: readonly number[] = [1, 2, 3, 4];

const isFilled = (part: Part): part is SimplePart => part.kind !== 'choice';

/** Bodies of an operation, the plainest first. `names` fill its file names in turn. */
export const bodiesOf = (op: Operation, session: Negotiated, names: readonly string[]): Fields[] => {
  const parts = op.request.filter(isFilled);
  const plain: MutableFields = {};
  for (const part of parts) Object.assign(plain, fieldsOf(part, session));
  parts.filter(isName).forEach((part, index) => {
    plain[part.field] = nameFor(op, part, names[index % Math.max(1, names.length)]);
  });
  for (const { count, each } of op.ids) if (count !== undefined && each === undefined) plain[count] = 1n;
  return variantsOf(op, parts, session, plain);
};

/** A request with that body and no ids. */
export const frameOf = (op: Operation, fields: Fields, session: Negotiated): Uint8Array =>
  encodeRequest({ name: op.name, header: { unique: 0n }, fields }, session);

const isName = (part: SimplePart): part is NamePart => part.kind === 'name';

/** A name in a directory, or what else operations want by a name. */
const nameFor = (op: Operation, part: NamePart, name = ''): string => {
  if (part.content === 'path') return scratchNames[0] ?? '';
  return op.header === 'node' ? XATTR : name;
};

const fieldsOf = (part: SimplePart, session: Negotiated): MutableFields => {
  if (part.kind === 'struct') return structFields(part.layout, sizeUnder(part, session));
  if (part.kind === 'bytes') return { [part.field]: DATA };
  if (part.kind === 'list') return { [part.field]: [1n, 2n].map((id) => itemOf(part.of, id)) };
  return {};
};

const structFields = (layout: Struct, size: number): MutableFields => {
  const fields: MutableFields = {};
  for (const { name, spec } of fieldsWithin(layout, size)) {
    const value = unusual[name] ?? usualOf(spec);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
};

const usualOf = (spec: FieldSpec): Value => {
  if (typeof spec === 'string') return usual[spec];
  return spec.kind === 'struct' ? structFields(spec, spec.size) : undefined;
};

/** An item that names a node or gives lookups back has to have them. */
const itemOf = (layout: Struct, id: bigint): Fields =>
  Object.fromEntries(
    layout.placed.map(({ name, spec }) => [name, spec === 'node' ? id : (usualOf(spec) ?? 1n)]),
  );

const variantsOf = (
  op: Operation,
  parts: readonly SimplePart[],
  session: Negotiated,
  plain: Fields,
): Fields[] => {
  const counted = new Set(parts.flatMap((part) => ('length' in part && part.length ? [part.length] : [])));
  const start = Object.fromEntries(Object.entries(plain).filter(([field]) => !counted.has(field)));
  const conditions = conditionsOf(op);
  const all = conditions.reduce(withBits, start);
  const single = parts.flatMap((part) =>
    part.kind === 'struct' ? flagValues(part.layout, sizeUnder(part, session)) : [],
  );
  const flagged = single.flatMap((change) => [
    { ...start, ...change },
    { ...conditions.reduce(withBits, { ...start, ...change }) },
  ]);
  return distinct([start, all, ...flagged], op, session);
};

type Bits = readonly [field: string, mask: number];

/** Flags under which a request holds more ids. */
const conditionsOf = ({ ids }: Operation): Bits[] =>
  ids.flatMap(({ side, when }) =>
    side === 'request' && when?.mask !== undefined ? [[when.field, when.mask] as const] : [],
  );

const withBits = (fields: Fields, [field, mask]: Bits): Fields => ({
  ...fields,
  [field]: Number(fields[field] ?? 0) | mask,
});

/** Each flag of each flag field by itself, each way of opening, each choice; those of structs within structs too. */
const flagValues = (layout: Struct, size: number): Fields[] =>
  fieldsWithin(layout, size).flatMap(({ name, spec, size: bytes }): Fields[] => {
    if (spec === 'oflags') return oflags.map((value) => ({ [name]: value }));
    if (spec === 'choice') return choices.map((value) => ({ [name]: value }));
    if (typeof spec === 'string') return [];
    if (spec.kind === 'struct')
      return flagValues(spec, bytes).map((inner) => ({ [name]: { ...structFields(spec, bytes), ...inner } }));
    if (spec.kind !== 'bits') return [];
    const wide = spec.width === 'u64';
    return Object.values(spec.names).map((bit) => ({ [name]: wide ? BigInt(bit) : bit }));
  });

const distinct = (bodies: readonly Fields[], op: Operation, session: Negotiated): Fields[] => {
  const seen = new Map(
    bodies.toReversed().map((body) => [Buffer.from(frameOf(op, body, session)).toString('latin1'), body]),
  );
  return [...seen.values()].reverse();
};
