/** Where the numbers, names and contents of a request are that no id stands in, whatever its header says of its length. */

import type { Step } from '../../plan/plan.js';
import { requestContent } from '../../protocol/content-sites.js';
import { IN_HEADER_SIZE } from '../../protocol/header.js';
import type { FieldSpec } from '../../protocol/layout.js';
import type { Negotiated } from '../../protocol/negotiated.js';
import type { Operation } from '../../protocol/operations.js';
import type { ListPart } from '../../protocol/parts.js';
import { sizeUnder } from '../../protocol/prefix.js';
import { u32At, u64At } from '../../protocol/raw.js';
import { inHeader } from '../../protocol/structs.js';
import { requestFields } from '../request-fields.js';

/** A number. Offset and size are bytes in the frame. */
export interface NumberSite {
  readonly offset: number;
  readonly size: number;
  readonly isBits: boolean;
}

/** A name, contents, or list items. */
export interface StretchSite {
  /** Bytes in the frame, the last one not included; a name's NUL is outside. */
  readonly start: number;
  readonly end: number;
  /** Bytes that belong together. */
  readonly unit: number;
  readonly isName: boolean;
  /** Units that should be left at least: a name of no bytes is another matter. */
  readonly least: number;
  /** Number in the frame that tells how many units there are. */
  readonly count: NumberSite | undefined;
}

/** Fields of the header that the rest does not tell. */
const headerFields = inHeader.placed.filter(({ name }) => !['len', 'opcode', 'unique'].includes(name));

const isBitField = (spec: FieldSpec): boolean =>
  spec === 'mode' || spec === 'oflags' || (typeof spec === 'object' && spec.kind === 'bits');

const scalars = ({ offset, size, spec }: { offset: number; size: number; spec: FieldSpec }): NumberSite[] => {
  if (size <= 8) return [{ offset, size, isBits: isBitField(spec) }];
  return Array.from({ length: size >> 2 }, (_, at) => ({ offset: offset + 4 * at, size: 4, isBits: false }));
};

/** Numbers of a request that are not 0 and that no patch writes. */
export const numberSites = (step: Step, session: Negotiated): NumberSite[] => {
  const { op, template, patches } = step;
  const fields =
    op === undefined
      ? []
      : [...requestFields(op, session).flatMap(scalars), ...itemNumbers(step, op, session)];
  return [...fields, ...headerFields.flatMap(scalars)].filter(
    ({ offset, size }) =>
      offset + size <= template.length &&
      !patches.some((patch) => patch.offset < offset + size && offset < patch.offset + 8) &&
      numberAt(template, { offset, size }) !== 0n,
  );
};

const itemNumbers = (step: Step, op: Operation, session: Negotiated): NumberSite[] =>
  lists(step, op, session).flatMap(({ start, end, of }) =>
    Array.from({ length: (end - start) / of.size }, (_, at) =>
      of.placed.flatMap((field) => scalars({ ...field, offset: start + at * of.size + field.offset })),
    ).flat(),
  );

/** The number at a site. */
export const numberAt = (bytes: Uint8Array, { offset, size }: Pick<NumberSite, 'offset' | 'size'>): bigint =>
  size === 8 ? u64At(bytes, offset) : BigInt(u32At(bytes, offset)) & ((1n << BigInt(8 * size)) - 1n);

/** Names, contents and lists of a request, and whatever stands behind what its operation knows. */
export const stretchSites = (step: Step, session: Negotiated): StretchSite[] => {
  const { op, template } = step;
  const known = op === undefined ? [] : [...contents(step, op, session), ...lists(step, op, session)];
  const start = Math.max(fixedEnd(op, session), ...known.map(({ end, least }) => end + least));
  const tail = { start, end: template.length, unit: 1, isName: false, least: 0, count: undefined };
  return [...known, tail].filter((site) => site.start < site.end);
};

const contents = ({ template }: Step, op: Operation, session: Negotiated): StretchSite[] =>
  requestContent(template, op, session).map(({ field, start, end }) => {
    const part = op.request.find((one) => 'field' in one && one.field === field);
    const length = part !== undefined && 'length' in part ? part.length : undefined;
    const isName = part?.kind === 'name';
    const count = countSite(op, length, session);
    return { start, end, unit: 1, isName, least: isName ? 1 : 0, count };
  });

const lists = (
  { template }: Step,
  op: Operation,
  session: Negotiated,
): (StretchSite & Pick<ListPart, 'of'>)[] =>
  op.request
    .filter((part): part is ListPart => part.kind === 'list')
    .map(({ of, count: [field] }) => {
      const start = fixedEnd(op, session);
      const count = countSite(op, field, session);
      const told = count === undefined ? 0 : Number(numberAt(template, count));
      const room = Math.max(0, Math.floor((template.length - start) / of.size));
      const end = start + Math.min(told, room) * of.size;
      return { of, start, end, unit: of.size, isName: false, least: 0, count };
    });

const countSite = (op: Operation, name: string | undefined, session: Negotiated): NumberSite | undefined => {
  const field = requestFields(op, session).find((one) => one.name === name);
  return field && { offset: field.offset, size: field.size, isBits: false };
};

/** Bytes of a request up to where names, contents or lists begin. */
const fixedEnd = (op: Operation | undefined, session: Negotiated): number => {
  let end = IN_HEADER_SIZE;
  for (const part of op?.request ?? []) {
    if (part.kind !== 'struct') break;
    end += sizeUnder(part, session);
  }
  return end;
};
