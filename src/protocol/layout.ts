/**
 * What a C struct of the protocol is: named fields in order, each at its natural alignment. Readers, writers, id sites
 * and the TypeScript type of the decoded value all follow from it. It knows no operation.
 */

import type { FileHandle, LockOwner, NodeId, Unique } from '../base/ids.js';
import type { FlagSet } from './flags.js';

/**
 * Types of a field, with the TypeScript type of its value. Some are plain numbers whose name says what they measure: `size`
 * is a u32 and `length` a u64 of bytes, `offset` a u64 position, `choice` a u32 of which only the smallest values mean
 * something; `mode` (of a file) and `oflags` (O_*) are u32 that people read in octal.
 */
export interface ScalarValues {
  readonly u16: number;
  readonly u32: number;
  readonly i32: number;
  readonly mode: number;
  readonly oflags: number;
  readonly size: number;
  readonly choice: number;
  readonly u64: bigint;
  readonly i64: bigint;
  readonly offset: bigint;
  readonly length: bigint;
  readonly node: NodeId;
  readonly handle: FileHandle;
  readonly owner: LockOwner;
  readonly unique: Unique;
}

/** Name of a field type. */
export type Scalar = keyof ScalarValues;

/** Bytes that each field type takes; also its alignment. */
export const scalarSizes: Readonly<Record<Scalar, 2 | 4 | 8>> = {
  u16: 2,
  u32: 4,
  i32: 4,
  mode: 4,
  oflags: 4,
  size: 4,
  choice: 4,
  u64: 8,
  i64: 8,
  offset: 8,
  length: 8,
  node: 8,
  handle: 8,
  owner: 8,
  unique: 8,
};

/** A u32 (or u64) of named bits. */
export interface Bits<W extends 'u32' | 'u64' = 'u32' | 'u64'> {
  readonly kind: 'bits';
  readonly width: W;
  readonly names: FlagSet;
}

/** Several numbers of one type, such as `spare[6]`. */
export interface Vector<S extends Scalar = Scalar> {
  readonly kind: 'vector';
  readonly of: S;
  readonly length: number;
}

/** Type of one field. */
export type FieldSpec = Scalar | Bits | Vector | Struct;

/** The fields of a struct in the order of the wire. */
export interface FieldSpecs {
  readonly [name: string]: FieldSpec;
}

/** A field with its place. Offsets and sizes are bytes from the start of its struct. */
export interface Placed {
  readonly name: string;
  readonly spec: FieldSpec;
  readonly offset: number;
  readonly size: number;
}

/** A struct of the protocol. `name` is the kernel's. */
export interface Struct<F extends FieldSpecs = FieldSpecs> {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: F;
  readonly placed: readonly Placed[];
  /** Bytes, trailing padding included. */
  readonly size: number;
  readonly align: number;
}

/** TypeScript type of a field's decoded value. */
export type ValueOf<S> = S extends Scalar
  ? ScalarValues[S]
  : S extends Bits<infer W>
    ? ScalarValues[W]
    : S extends Vector<infer E>
      ? readonly ScalarValues[E][]
      : S extends Struct<infer F>
        ? FieldsOf<F>
        : never;

/** TypeScript type of a decoded struct. */
export type FieldsOf<F extends FieldSpecs> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Any decoded value. */
export type Value = number | bigint | string | Uint8Array | Fields | readonly Value[] | undefined;

/** Decoded fields by name, whatever the operation. */
export interface Fields {
  readonly [name: string]: Value;
}

/** Fields while they are being filled in. */
export type MutableFields = Record<string, Value>;

/** A 32-bit field of named bits. */
export const bits = (names: FlagSet): Bits<'u32'> => ({ kind: 'bits', width: 'u32', names });
/** A 64-bit field of named bits. */
export const bits64 = (names: FlagSet): Bits<'u64'> => ({ kind: 'bits', width: 'u64', names });
/** `length` numbers of one type. */
export const vector = <S extends Scalar>(of: S, length: number): Vector<S> => ({
  kind: 'vector',
  of,
  length,
});

const sizeOf = (spec: FieldSpec): { size: number; align: number } => {
  if (typeof spec === 'string') return { size: scalarSizes[spec], align: scalarSizes[spec] };
  if (spec.kind === 'bits') return sizeOf(spec.width);
  if (spec.kind === 'vector')
    return { size: scalarSizes[spec.of] * spec.length, align: scalarSizes[spec.of] };
  return spec;
};

const alignUp = (offset: number, align: number): number => Math.ceil(offset / align) * align;

const place = (fields: FieldSpecs): Placed[] => {
  let end = 0;
  return Object.entries(fields).map(([name, spec]) => {
    const { size, align } = sizeOf(spec);
    const offset = alignUp(end, align);
    end = offset + size;
    return { name, spec, offset, size };
  });
};

/** Lays the fields out as a C compiler does on 64-bit Linux (natural alignment). */
export const struct = <const F extends FieldSpecs>(name: string, fields: F): Struct<F> => {
  const placed = place(fields);
  const align = Math.max(...placed.map(({ spec }) => sizeOf(spec).align));
  const last = placed.at(-1);
  const size = last === undefined ? 0 : alignUp(last.offset + last.size, align);
  return { kind: 'struct', name, fields, placed, size, align };
};

/** Offset and type of a field by its dotted path (`attr.mode`); `undefined` when the struct has no such field. */
export const fieldAt = (layout: Struct, path: string): Placed | undefined => {
  const [head, ...rest] = path.split('.');
  const found = layout.placed.find(({ name }) => name === head);
  if (found === undefined || rest.length === 0) return found;
  if (typeof found.spec === 'string' || found.spec.kind !== 'struct') return undefined;
  const inner = fieldAt(found.spec, rest.join('.'));
  return inner && { ...inner, offset: found.offset + inner.offset };
};
