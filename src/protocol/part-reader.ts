/** Compiles the parts of a message, under one negotiated session, to functions that read them one after the other. */

import { textOf } from './byte-string.js';
import { type Cursor, type Problem, short } from './cursor.js';
import type { MutableFields, Struct } from './layout.js';
import type { Negotiated } from './negotiated.js';
import {
  type BytesPart,
  type ChoicePart,
  holds,
  type ListPart,
  type NamePart,
  type Part,
  type RecordsPart,
  recordSize,
  type SimplePart,
  type StructPart,
  type TextPart,
} from './parts.js';
import { prefixOf, sizeUnder } from './prefix.js';
import { type StructReader, structReader } from './struct-reader.js';

/** Reads one part at the cursor into `into` and moves on; says what is wrong when it cannot. */
export type PartReader = (cursor: Cursor, into: MutableFields) => Problem | undefined;

/** A counted field as a number; 0 when it is absent. */
export const countIn = (fields: MutableFields, path: string): number => {
  const value = fields[path];
  return typeof value === 'number' ? value : 0;
};

const fixedStruct = (layout: Struct, size: number): PartReader => {
  const read = structReader(layout, size);
  return (cursor, into) => {
    if (cursor.end - cursor.at < size) return short(cursor, size);
    read(cursor.view, cursor.at, into);
    cursor.at += size;
    return undefined;
  };
};

const openStruct = (layout: Struct): PartReader => {
  const bySize = new Map<number, StructReader>();
  return (cursor, into) => {
    const size = prefixOf(layout, cursor.end - cursor.at);
    const read = bySize.get(size) ?? structReader(layout, size);
    bySize.set(size, read);
    read(cursor.view, cursor.at, into);
    cursor.at += size;
    return undefined;
  };
};

const structPart = (part: StructPart, negotiated: Negotiated): PartReader =>
  part.open ? openStruct(part.layout) : fixedStruct(part.layout, sizeUnder(part, negotiated));

const terminatedName =
  ({ field }: NamePart): PartReader =>
  (cursor, into) => {
    const nul = cursor.bytes.indexOf(0, cursor.at);
    const have = cursor.end - cursor.at;
    if (nul < 0 || nul >= cursor.end)
      return { reason: 'unterminated', offset: cursor.at, need: have + 1, have };
    into[field] = textOf(cursor.bytes, cursor.at, nul);
    cursor.at = nul + 1;
    return undefined;
  };

const countedName =
  ({ field }: NamePart, length: string): PartReader =>
  (cursor, into) => {
    const { at, end } = cursor;
    const size = countIn(into, length);
    if (end - at < size + 1) return short(cursor, size + 1);
    if (cursor.bytes[at + size] !== 0)
      return { reason: 'unterminated', offset: at, need: size + 1, have: end - at };
    into[field] = textOf(cursor.bytes, at, at + size);
    cursor.at += size + 1;
    return undefined;
  };

const namePart = (part: NamePart): PartReader =>
  part.length === undefined ? terminatedName(part) : countedName(part, part.length);

const textPart =
  ({ field }: TextPart): PartReader =>
  (cursor, into) => {
    into[field] = textOf(cursor.bytes, cursor.at, cursor.end);
    cursor.at = cursor.end;
    return undefined;
  };

const bytesPart =
  ({ field, length }: BytesPart): PartReader =>
  (cursor, into) => {
    const have = cursor.end - cursor.at;
    const need = length === undefined ? have : countIn(into, length);
    if (need > have && !cursor.cut) return short(cursor, need);
    const size = Math.min(need, have);
    into[field] = cursor.bytes.subarray(cursor.at, cursor.at + size);
    cursor.at += size;
    return undefined;
  };

const listPart = ({ field, of, count }: ListPart): PartReader => {
  const read = structReader(of, of.size);
  return (cursor, into) => {
    const length = count.reduce((sum, path) => sum + countIn(into, path), 0);
    // Checked before anything is made: the count comes from a stranger.
    if (cursor.end - cursor.at < length * of.size) return short(cursor, length * of.size);
    into[field] = Array.from({ length }, (_, index) => {
      const item: MutableFields = {};
      read(cursor.view, cursor.at + index * of.size, item);
      return item;
    });
    cursor.at += length * of.size;
    return undefined;
  };
};

const paddingIn = (bytes: Uint8Array, start: number, end: number): Uint8Array | undefined => {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return bytes.subarray(start, end);
  return undefined;
};

const recordsPart = ({ field, of }: RecordsPart): PartReader => {
  const read = structReader(of, of.size);
  return (cursor, into) => {
    const items: MutableFields[] = [];
    while (cursor.at < cursor.end) {
      if (cursor.end - cursor.at < of.size) return short(cursor, of.size);
      const item: MutableFields = {};
      read(cursor.view, cursor.at, item);
      const nameAt = cursor.at + of.size;
      const nameEnd = nameAt + countIn(item, 'namelen');
      const next = cursor.at + recordSize(nameEnd - cursor.at);
      if (next > cursor.end) return short(cursor, next - cursor.at);
      item.name = textOf(cursor.bytes, nameAt, nameEnd);
      const padding = paddingIn(cursor.bytes, nameEnd, next);
      if (padding !== undefined) item.padding = padding;
      items.push(item);
      cursor.at = next;
    }
    into[field] = items;
    return undefined;
  };
};

const choicePart = (part: ChoicePart, negotiated: Negotiated): PartReader => {
  const { when } = part;
  const then = readersOf(part.then, negotiated);
  const otherwise = readersOf(part.otherwise, negotiated);
  return (cursor, into) => {
    const value = countIn(when.from === 'request' ? cursor.request : into, when.field);
    return readAll(holds(when, value) ? then : otherwise, cursor, into);
  };
};

const compilers: {
  readonly [K in SimplePart['kind']]: (
    part: Extract<SimplePart, { kind: K }>,
    negotiated: Negotiated,
  ) => PartReader;
} = {
  struct: structPart,
  name: namePart,
  text: textPart,
  bytes: bytesPart,
  list: listPart,
  records: recordsPart,
};

const readerOf = (part: Part, negotiated: Negotiated): PartReader => {
  if (part.kind === 'choice') return choicePart(part, negotiated);
  const compile = compilers[part.kind] as (part: SimplePart, negotiated: Negotiated) => PartReader;
  return compile(part, negotiated);
};

/** A reader for each part. */
export const readersOf = (parts: readonly Part[], negotiated: Negotiated): readonly PartReader[] =>
  parts.map((part) => readerOf(part, negotiated));

/** Reads all parts in order; stops at the first problem. */
export const readAll = (
  readers: readonly PartReader[],
  cursor: Cursor,
  into: MutableFields,
): Problem | undefined => {
  for (const read of readers) {
    const problem = read(cursor, into);
    if (problem !== undefined) return problem;
  }
  return undefined;
};
