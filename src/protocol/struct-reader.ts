/** Compiles a struct of the protocol to a function that reads it. Byte order is little endian, as on every 64-bit Linux machine relight runs on. */

import {
  type FieldSpec,
  type MutableFields,
  type Scalar,
  type Struct,
  scalarSizes,
  type Value,
} from './layout.js';
import { fieldsWithin } from './prefix.js';

/** Reads a struct at `at` into `into`; the caller has checked that it is there. */
export type StructReader = (view: DataView, at: number, into: MutableFields) => void;
type ValueReader = (view: DataView, at: number) => Value;

const u32: ValueReader = (view, at) => view.getUint32(at, true);
const u64: ValueReader = (view, at) => view.getBigUint64(at, true);

const scalars: Readonly<Record<Scalar, ValueReader>> = {
  u16: (view, at) => view.getUint16(at, true),
  u32,
  i32: (view, at) => view.getInt32(at, true),
  mode: u32,
  oflags: u32,
  size: u32,
  choice: u32,
  u64,
  offset: u64,
  length: u64,
  i64: (view, at) => view.getBigInt64(at, true),
  node: u64,
  handle: u64,
  owner: u64,
  unique: u64,
};

const vectorReader = (of: Scalar, length: number): ValueReader => {
  const read = scalars[of];
  const step = scalarSizes[of];
  return (view, at) => Array.from({ length }, (_, index) => read(view, at + index * step) as number | bigint);
};

const nestedReader = (layout: Struct, bytes: number): ValueReader => {
  const read = structReader(layout, bytes);
  return (view, at) => {
    const into: MutableFields = {};
    read(view, at, into);
    return into;
  };
};

const valueReader = (spec: FieldSpec, bytes: number): ValueReader => {
  if (typeof spec === 'string') return scalars[spec];
  if (spec.kind === 'bits') return scalars[spec.width];
  if (spec.kind === 'struct') return nestedReader(spec, bytes);
  return vectorReader(spec.of, Math.floor(bytes / scalarSizes[spec.of]));
};

/** A reader of the struct's first `bytes` bytes; fields that do not begin in them stay absent. */
export const structReader = (layout: Struct, bytes: number): StructReader => {
  const fields = fieldsWithin(layout, bytes);
  const names = fields.map(({ name }) => name);
  const offsets = fields.map(({ offset }) => offset);
  const readers = fields.map(({ spec, size }) => valueReader(spec, size));
  return (view, at, into) => {
    for (let index = 0; index < names.length; index++) {
      const read = readers[index] as ValueReader;
      into[names[index] as string] = read(view, at + (offsets[index] as number));
    }
  };
};
