/** Compiles a struct of the protocol to a function that writes it, the inverse of `struct-reader.ts`. */

import { type FieldSpec, type Fields, type Scalar, type Struct, scalarSizes, type Value } from './layout.js';
import { fieldsWithin } from './prefix.js';

/** Writes a struct at `at`; absent fields stay what the bytes are, which is zero in a new frame. */
export type StructWriter = (view: DataView, at: number, from: Fields) => void;
type ValueWriter = (view: DataView, at: number, value: Value) => void;

const u32: ValueWriter = (view, at, value) => view.setUint32(at, value as number, true);
const u64: ValueWriter = (view, at, value) => view.setBigUint64(at, value as bigint, true);

const scalars: Readonly<Record<Scalar, ValueWriter>> = {
  u16: (view, at, value) => view.setUint16(at, value as number, true),
  u32,
  i32: u32,
  mode: u32,
  oflags: u32,
  size: u32,
  choice: u32,
  u64,
  offset: u64,
  length: u64,
  i64: u64,
  node: u64,
  handle: u64,
  owner: u64,
  unique: u64,
};

const vectorWriter = (of: Scalar, length: number): ValueWriter => {
  const write = scalars[of];
  const step = scalarSizes[of];
  return (view, at, value) => {
    const items = value as readonly Value[];
    for (let index = 0; index < Math.min(items.length, length); index++)
      write(view, at + index * step, items[index]);
  };
};

const nestedWriter = (layout: Struct, bytes: number): ValueWriter => {
  const write = structWriter(layout, bytes);
  return (view, at, value) => write(view, at, value as Fields);
};

const valueWriter = (spec: FieldSpec, bytes: number): ValueWriter => {
  if (typeof spec === 'string') return scalars[spec];
  if (spec.kind === 'bits') return scalars[spec.width];
  if (spec.kind === 'struct') return nestedWriter(spec, bytes);
  return vectorWriter(spec.of, bytes / scalarSizes[spec.of]);
};

/** A writer of the struct's first `bytes` bytes. */
export const structWriter = (layout: Struct, bytes: number): StructWriter => {
  const fields = fieldsWithin(layout, bytes).map(({ name, spec, offset, size }) => ({
    name,
    offset,
    write: valueWriter(spec, size),
  }));
  return (view, at, from) => {
    for (const { name, offset, write } of fields) {
      const value = from[name];
      if (value !== undefined) write(view, at + offset, value);
    }
  };
};
