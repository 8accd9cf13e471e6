/** Compiles the parts of a message, under one negotiated session, to functions that append them one after the other. */

import { bytesOf } from './byte-string.js';
import type { Fields, MutableFields, Struct, Value } from './layout.js';
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
import type { Sink } from './sink.js';
import { type StructWriter, structWriter } from './struct-writer.js';

/** What a body is written from besides its fields. */
export interface WriteContext {
  /** Fields of the request while a reply is written. */
  readonly request: Fields;
  /** Bytes of the body that the frame was decoded from; a struct that its sender cut keeps its length. */
  readonly length: number | undefined;
}

/** Appends one part of a message. */
export type PartWriter = (sink: Sink, from: Fields, context: WriteContext) => void;

const NO_BYTES = new Uint8Array(0);
const bytesIn = (value: Value): Uint8Array => (value instanceof Uint8Array ? value : NO_BYTES);
const nameIn = (value: Value): Uint8Array => (typeof value === 'string' ? bytesOf(value) : NO_BYTES);
const itemsIn = (value: Value): readonly Fields[] => (Array.isArray(value) ? value : []);
const numberIn = (value: Value): number => (typeof value === 'number' ? value : 0);

const append = (sink: Sink, size: number, write: StructWriter, from: Fields): void => {
  const at = sink.reserve(size);
  write(sink.view, at, from);
};

const fixedStruct = (layout: Struct, size: number): PartWriter => {
  const write = structWriter(layout, size);
  return (sink, from) => append(sink, size, write, from);
};

const openStruct = (layout: Struct, usual: number): PartWriter => {
  const bySize = new Map<number, StructWriter>();
  return (sink, from, { length = usual }) => {
    const size = prefixOf(layout, length);
    const write = bySize.get(size) ?? structWriter(layout, size);
    bySize.set(size, write);
    append(sink, size, write, from);
  };
};

const structPart = (part: StructPart, negotiated: Negotiated): PartWriter => {
  const size = sizeUnder(part, negotiated);
  return part.open ? openStruct(part.layout, size) : fixedStruct(part.layout, size);
};

const namePart =
  ({ field }: NamePart): PartWriter =>
  (sink, from) => {
    sink.put(nameIn(from[field]));
    sink.reserve(1);
  };

const textPart =
  ({ field }: TextPart): PartWriter =>
  (sink, from) =>
    sink.put(nameIn(from[field]));

const bytesPart =
  ({ field }: BytesPart): PartWriter =>
  (sink, from) =>
    sink.put(bytesIn(from[field]));

const listPart = ({ field, of }: ListPart): PartWriter => {
  const write = structWriter(of, of.size);
  return (sink, from) => {
    for (const item of itemsIn(from[field])) append(sink, of.size, write, item);
  };
};

const recordsPart = ({ field, of }: RecordsPart): PartWriter => {
  const write = structWriter(of, of.size);
  return (sink, from) => {
    for (const item of itemsIn(from[field])) {
      const name = nameIn(item.name);
      const size = of.size + name.length;
      const at = sink.reserve(recordSize(size));
      write(sink.view, at, item.namelen === undefined ? { ...item, namelen: name.length } : item);
      sink.bytes.set(name, at + of.size);
      sink.bytes.set(bytesIn(item.padding).subarray(0, recordSize(size) - size), at + size);
    }
  };
};

const choicePart = (part: ChoicePart, negotiated: Negotiated): PartWriter => {
  const { when } = part;
  const then = writerOf(part.then, negotiated);
  const otherwise = writerOf(part.otherwise, negotiated);
  return (sink, from, context) => {
    const value = numberIn((when.from === 'request' ? context.request : from)[when.field]);
    (holds(when, value) ? then : otherwise)(sink, from, context);
  };
};

const compilers: {
  readonly [K in SimplePart['kind']]: (
    part: Extract<SimplePart, { kind: K }>,
    negotiated: Negotiated,
  ) => PartWriter;
} = {
  struct: structPart,
  name: namePart,
  text: textPart,
  bytes: bytesPart,
  list: listPart,
  records: recordsPart,
};

const compile = (part: Part, negotiated: Negotiated): PartWriter =>
  part.kind === 'choice'
    ? choicePart(part, negotiated)
    : (compilers[part.kind] as (part: SimplePart, negotiated: Negotiated) => PartWriter)(part, negotiated);

/** The counts that a part implies: of its items, or of its bytes. */
const countsOf = (part: Part, from: Fields): readonly (readonly [string, number])[] => {
  if (part.kind === 'list')
    return part.count.slice(0, 1).map((path) => [path, itemsIn(from[part.field]).length]);
  if (part.kind === 'name' && part.length !== undefined)
    return [[part.length, nameIn(from[part.field]).length]];
  if (part.kind === 'bytes' && part.length !== undefined)
    return [[part.length, bytesIn(from[part.field]).length]];
  return [];
};

const withCounts = (parts: readonly Part[], from: Fields): Fields => {
  const missing = parts
    .flatMap((part) => countsOf(part, from))
    .filter(([path, count]) => from[path] === undefined && count > 0);
  if (missing.length === 0) return from;
  const filled: MutableFields = { ...from };
  for (const [path, count] of missing) filled[path] = count;
  return filled;
};

/**
 * Appends all parts in order. Absent fields become zero, absent counts the number of what is there; a count that is
 * given is written as it is, so that a frame can be wrong on purpose.
 */
export const writerOf = (parts: readonly Part[], negotiated: Negotiated): PartWriter => {
  const writers = parts.map((part) => compile(part, negotiated));
  const counted = parts.some((part) => countsOf(part, {}).length > 0);
  return (sink, from, context) => {
    const whole = counted ? withCounts(parts, from) : from;
    for (const write of writers) write(sink, whole, context);
  };
};
