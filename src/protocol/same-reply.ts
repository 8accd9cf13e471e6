/**
 * Whether two replies to one request agree, told from their bytes: ids and the fields that the `compare` column rules out
 * are masked, everything else must be equal. Masks are made once for each row and session.
 */

import type { ReplyContext } from './decode.js';
import { errorOf } from './header.js';
import { fieldAt, type Struct } from './layout.js';
import type { Negotiated } from './negotiated.js';
import type { CompareRule } from './operation.js';
import type { Operation } from './operations.js';
import { type Condition, holds, recordSize, type SimplePart } from './parts.js';
import { perSession } from './per-session.js';
import { sizeUnder } from './prefix.js';
import { u32At } from './raw.js';
import { partsOfForm, takesFirstForm } from './reply-shape.js';
import { outHeader } from './structs.js';

/** What to leave out of a stretch of bytes: 1 for a byte that may differ. */
interface Mask {
  readonly always: Uint8Array;
  /** Leaves out more when a field of the recorded bytes says so. */
  readonly sometimes: readonly { readonly when: Condition; readonly at: number; readonly mask: Uint8Array }[];
  /** Ids may differ, but not in whether there is one. */
  readonly ids: readonly { readonly at: number; readonly low: number; readonly high: number }[];
}

/** How the replies of one form are compared. */
interface Comparison {
  /** The header and the structs behind it. */
  readonly fixed: Mask;
  readonly records: { readonly of: Struct; readonly namelenAt: number; readonly item: Mask } | undefined;
}

/** A struct of the reply and where it begins. */
interface Placed {
  readonly layout: Struct;
  readonly at: number;
}

const rangeOf = (structs: readonly Placed[], field: string): { start: number; end: number } | undefined => {
  for (const { layout, at } of structs) {
    const found = fieldAt(layout, field);
    if (found !== undefined) return { start: at + found.offset, end: at + found.offset + found.size };
  }
  return undefined;
};

const maskOf = (size: number, structs: readonly Placed[], fields: readonly string[]): Uint8Array => {
  const mask = new Uint8Array(size);
  for (const field of fields) {
    const range = rangeOf(structs, field);
    if (range !== undefined) mask.fill(1, range.start, range.end);
  }
  return mask;
};

const ignoredIn = (rules: readonly CompareRule[], each: string | undefined): CompareRule[] =>
  rules.filter((rule) => rule.how === 'ignore' && rule.each === each);

const compileMask = (
  op: Operation,
  each: string | undefined,
  size: number,
  structs: readonly Placed[],
): Mask => {
  const ids = op.ids.filter((use) => use.side === 'reply' && use.each === each);
  const rules = ignoredIn(op.compare, each);
  const always = rules.filter(({ when }) => when === undefined).map(({ field }) => field);
  return {
    always: maskOf(size, structs, [...always, ...ids.map(({ field }) => field)]),
    sometimes: rules.flatMap(({ when, field }) =>
      when === undefined
        ? []
        : [{ when, at: rangeOf(structs, when.field)?.start ?? 0, mask: maskOf(size, structs, [field]) }],
    ),
    ids: ids.flatMap(({ field, none }) =>
      none === undefined ? [] : [{ at: rangeOf(structs, field)?.start ?? 0, ...halvesOf(none) }],
    ),
  };
};

const halvesOf = (value: bigint): { low: number; high: number } => ({
  low: Number(value & 0xffff_ffffn),
  high: Number(value >> 32n),
});

const sizeOf = (part: SimplePart, session: Negotiated): number => {
  if (part.kind !== 'struct') return 0;
  return part.open ? part.layout.size : sizeUnder(part, session);
};

const compile = (op: Operation, first: boolean, session: Negotiated): Comparison => {
  let at = outHeader.size;
  const structs: Placed[] = [{ layout: outHeader, at: 0 }];
  const parts = partsOfForm(op, first);
  for (const part of parts) {
    if (part.kind === 'struct') structs.push({ layout: part.layout, at });
    at += sizeOf(part, session);
  }
  const fixed = compileMask(op, undefined, at, structs);
  const unique = rangeOf(structs, 'unique');
  fixed.always.fill(1, unique?.start, unique?.end);
  const records = parts.find((part) => part.kind === 'records');
  if (records === undefined) return { fixed, records: undefined };
  const { of, field } = records;
  const item = compileMask(op, field, of.size, [{ layout: of, at: 0 }]);
  // The length goes with the name, which is compared for itself.
  return { fixed, records: { of, namelenAt: fieldAt(of, 'namelen')?.offset ?? 0, item } };
};

const comparisons = perSession((op: Operation, session) => ({
  first: compile(op, true, session),
  second: compile(op, false, session),
}));

const isMasked = (mask: Mask, recorded: Uint8Array, base: number, index: number): boolean =>
  mask.always[index] === 1 ||
  mask.sometimes.some(
    ({ when, at, mask: more }) => more[index] === 1 && holds(when, u32At(recorded, base + at)),
  );

const sameMasked = (mask: Mask, a: Uint8Array, b: Uint8Array, atA: number, atB: number): boolean => {
  const size = Math.min(mask.always.length, a.length - atA, b.length - atB);
  for (let index = 0; index < size; index++)
    if (a[atA + index] !== b[atB + index] && !isMasked(mask, a, atA, index)) return false;
  for (const id of mask.ids) if (isNone(id, a, atA) !== isNone(id, b, atB)) return false;
  return true;
};

const isNone = ({ at, low, high }: Mask['ids'][number], bytes: Uint8Array, base: number): boolean =>
  u32At(bytes, base + at) === low && u32At(bytes, base + at + 4) === high;

/** Below, a loop costs less than two views of the bytes. */
const SHORT = 64;

const sameRange = (a: Uint8Array, b: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (a[at] !== b[at]) return false;
  return true;
};

const sameBytes = (a: Uint8Array, b: Uint8Array, from: number): boolean => {
  if (a.length !== b.length) return false;
  if (a.length - from <= SHORT) return sameRange(a, b, from, a.length);
  return Buffer.compare(a.subarray(from), b.subarray(from)) === 0;
};

type Records = NonNullable<Comparison['records']>;

const recordsIn = ({ of, namelenAt }: Records, bytes: Uint8Array): Map<string, number> => {
  const found = new Map<string, number>();
  for (let at = outHeader.size; at + of.size <= bytes.length; ) {
    const end = at + of.size + u32At(bytes, at + namelenAt);
    found.set(Buffer.from(bytes.subarray(at + of.size, end)).toString('latin1'), at);
    at += recordSize(end - at);
  }
  return found;
};

/** The common case, without a map: the same names in the same order. */
const sameInOrder = ({ of, namelenAt, item }: Records, a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let at = outHeader.size; at + of.size <= a.length; ) {
    const end = Math.min(at + of.size + u32At(a, at + namelenAt), a.length);
    if (!sameRange(a, b, at + of.size, end) || u32At(b, at + namelenAt) !== u32At(a, at + namelenAt))
      return false;
    if (!sameMasked(item, a, b, at, at)) return false;
    at += recordSize(end - at);
  }
  return true;
};

const sameRecords = (records: Records, a: Uint8Array, b: Uint8Array): boolean => {
  if (sameInOrder(records, a, b)) return true;
  const inA = recordsIn(records, a);
  const inB = recordsIn(records, b);
  if (inA.size !== inB.size) return false;
  return [...inA].every(([name, atA]) => {
    const atB = inB.get(name);
    return atB !== undefined && sameMasked(records.item, a, b, atA, atB);
  });
};

/** Bytes of a reply with an unknown form that do not depend on the run: all but length, error and unique are its body. */
const sameRaw = (a: Uint8Array, b: Uint8Array): boolean => sameBytes(a, b, outHeader.size);

/**
 * Whether `live` says the same as `recorded`, both replies to the request of `context`. Ids are not compared, only
 * whether there is one; records of a directory may come in any order. Replies that are no valid ones agree only if equal.
 */
export const sameReply = (
  recorded: Uint8Array,
  live: Uint8Array,
  context: ReplyContext,
  negotiated: Negotiated,
): boolean => {
  if (errorOf(recorded) !== errorOf(live)) return false;
  const { op } = context;
  if (op === undefined || errorOf(recorded) !== 0) return sameRaw(recorded, live);
  const both = comparisons(op, negotiated);
  const first = takesFirstForm(op, recorded, context);
  if (first !== takesFirstForm(op, live, context)) return false;
  const { fixed, records } = first ? both.first : both.second;
  if (records !== undefined) return sameRecords(records, recorded, live);
  return (
    recorded.length === live.length &&
    sameMasked(fixed, recorded, live, 0, 0) &&
    sameBytes(recorded, live, fixed.always.length)
  );
};
