/** Structs that are cut short: by the rules of an old minor, or by their sender. */

import { type FieldSpec, type Placed, type Struct, scalarSizes } from './layout.js';
import { hasFlag, type Negotiated } from './negotiated.js';
import type { ShortRule, StructPart } from './parts.js';

const applies = (rule: ShortRule, negotiated: Negotiated): boolean =>
  'minorBelow' in rule ? negotiated.minor < rule.minorBelow : !hasFlag(negotiated, rule.unless);

/** Bytes that a struct has under a session: those of its first rule that holds, else all. */
export const sizeUnder = (part: StructPart, negotiated: Negotiated): number =>
  part.short.find((rule) => applies(rule, negotiated))?.bytes ?? part.layout.size;

/** Bytes of a field that stand for themselves: first elements of a struct or vector, all or nothing of a number. */
const wholeWithin = (spec: FieldSpec, size: number, bytes: number): number => {
  if (size <= bytes) return size;
  if (typeof spec === 'string' || spec.kind === 'bits') return 0;
  return spec.kind === 'struct' ? prefixOf(spec, bytes) : bytes - (bytes % scalarSizes[spec.of]);
};

/** The fields, whole or in part, that the struct's first `bytes` bytes hold. */
export const fieldsWithin = (layout: Struct, bytes: number): readonly Placed[] =>
  layout.placed
    .filter(({ offset }) => offset < bytes)
    .map((field) => ({ ...field, size: wholeWithin(field.spec, field.size, bytes - field.offset) }))
    .filter(({ size }) => size > 0);

/** The most bytes, up to `bytes`, after which a struct can be cut without cutting a number. */
export const prefixOf = (layout: Struct, bytes: number): number => {
  if (bytes >= layout.size) return layout.size;
  const last = fieldsWithin(layout, bytes).at(-1);
  return last === undefined ? 0 : last.offset + last.size;
};
