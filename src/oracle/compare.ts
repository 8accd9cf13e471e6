/**
 * Whether a server answered as the recorded one did: by masked bytes as long as it did, by decoded fields once it did not.
 * Which fields may differ, and why, stands in the operation table; nothing here knows an operation.
 */

import { type DecodedReply, decodeReply, type ReplyContext } from '../protocol/decode.js';
import { type Difference, differences } from '../protocol/differences.js';
import { errorOf, lengthOf, opcodeOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type CompareRule, compareReasons } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import { decodeErrorText, replyText } from '../protocol/print.js';
import { replyContext } from '../protocol/reply-context.js';
import { sameReply } from '../protocol/same-reply.js';
import { bytesText, valueText } from './text.js';

/** A recorded exchange; a step of a plan is one. Frames have their headers. */
export interface Exchange {
  /** Place in the plan. */
  readonly index: number;
  /** Frame number of the request in the trace. */
  readonly seq: number;
  /** The request as recorded: the ids in it do not matter. */
  readonly template: Uint8Array;
  /** The recorded reply; absent when there was none. */
  readonly reply: Uint8Array | undefined;
  /** Bytes of it that were recorded, when the rest was cut away and filled up; all by default. */
  readonly replyKept?: number;
}

/** How to compare. */
export interface CompareOptions {
  /** Without the rules of the table: only ids may differ, since every server may choose its own. */
  readonly strict?: boolean;
}

/** A reply that is not what the recorded one was. */
export interface Divergence {
  readonly step: number;
  readonly seq: number;
  /** Operation, or `opcode N`. */
  readonly op: string;
  /** Dotted path of the first field that differs; `error`, `length` or `body` for what is no field. */
  readonly field: string;
  /** That field in the recorded reply, and in the live one. */
  readonly expected: string;
  readonly actual: string;
  /** Both replies on one line each. */
  readonly recorded: string;
  readonly live: string;
  /** Why it counts. */
  readonly reason: string;
}

const keptReply = ({ reply, replyKept = reply?.length ?? 0 }: Exchange): Uint8Array | undefined =>
  reply === undefined || replyKept === reply.length ? reply : reply.subarray(0, replyKept);

type Found = Pick<Divergence, 'field' | 'expected' | 'actual' | 'reason'>;

const NO_RULE = 'no rule lets it differ';

const strictRows = new WeakMap<Operation, Operation>();

/** The row without its rules. Records stay unordered, so that they are told apart by name; their order is looked at apart. */
const strictRow = (op: Operation): Operation => {
  const known = strictRows.get(op);
  if (known !== undefined) return known;
  const row = { ...op, compare: op.compare.filter(({ how }) => how === 'unordered') };
  strictRows.set(op, row);
  return row;
};

const strictContext = ({ op, fields }: ReplyContext): ReplyContext => ({
  op: op === undefined ? undefined : strictRow(op),
  fields,
});

/** A recorder that keeps no payload cuts a reply and leaves the length in its header. */
const sameAsFarAsKept = (
  recorded: Uint8Array,
  actual: Uint8Array,
  context: ReplyContext,
  negotiated: Negotiated,
): boolean => {
  const length = lengthOf(recorded);
  if (length <= recorded.length) return sameReply(recorded, actual, context, negotiated);
  if (actual.length !== length) return false;
  return sameReply(recorded, actual.subarray(0, recorded.length), context, negotiated);
};

const namesOf = (reply: DecodedReply): string[] =>
  'entries' in reply.fields ? reply.fields.entries.map(({ name }) => name) : [];

/** The first record that stands at another place; `undefined` when all stand as recorded. */
const firstMisplaced = (a: DecodedReply, b: DecodedReply): Found | undefined => {
  const [recorded, live] = [namesOf(a), namesOf(b)];
  const at = recorded.findIndex((name, index) => name !== live[index]);
  if (at < 0) return undefined;
  const [expected, actual] = [valueText(recorded[at]), valueText(live[at])];
  return {
    field: `entries[${at}]`,
    expected,
    actual,
    reason: `passes unless strict: ${compareReasons.order}`,
  };
};

const orderDiffers = (
  recorded: Uint8Array,
  actual: Uint8Array,
  context: ReplyContext,
  negotiated: Negotiated,
): boolean => {
  if (context.op?.compare.some(({ how }) => how === 'unordered') !== true) return false;
  const a = decodeReply(recorded, context, negotiated, { cut: true });
  const b = decodeReply(actual, context, negotiated, { cut: true });
  return a.kind === 'reply' && b.kind === 'reply' && firstMisplaced(a, b) !== undefined;
};

/** Path of a rule: `entries[name].attr.ino` has its rule at `attr.ino` in each of `entries`. */
const placeOf = (path: string): { each: string | undefined; field: string } => {
  const item = /^(\w+)\[.*\]\.(.*)$/s.exec(path);
  return item === null ? { each: undefined, field: path } : { each: item[1], field: item[2] ?? '' };
};

const ruleOf = (op: Operation | undefined, path: string): CompareRule | undefined => {
  const { each, field } = placeOf(path);
  return op?.compare.find((rule) => rule.field === field && rule.each === each);
};

const reasonOf = (op: Operation | undefined, path: string): string => {
  const rule = ruleOf(op, path);
  return rule === undefined ? NO_RULE : `passes unless strict: ${compareReasons[rule.why]}`;
};

const ofDifference = (op: Operation | undefined, { path, recorded, live }: Difference): Found => ({
  field: path,
  expected: valueText(recorded, { path, beside: live }),
  actual: valueText(live, { path, beside: recorded }),
  reason: path === 'error' ? 'another outcome' : reasonOf(op, path),
});

const ofBytes = (recorded: Uint8Array, actual: Uint8Array): Found => ({
  field: recorded.length === actual.length ? 'body' : 'length',
  expected: bytesText(recorded, actual),
  actual: bytesText(actual, recorded),
  reason: NO_RULE,
});

const lineOf = (bytes: Uint8Array, context: ReplyContext, negotiated: Negotiated): string => {
  const reply = decodeReply(bytes, context, negotiated, { cut: true });
  return reply.kind === 'reply' ? replyText(reply) : decodeErrorText(reply);
};

const firstDifference = (
  recorded: Uint8Array,
  actual: Uint8Array,
  context: ReplyContext,
  negotiated: Negotiated,
): Found => {
  const a = decodeReply(recorded, context, negotiated, { cut: true });
  const b = decodeReply(actual, context, negotiated, { cut: true });
  if (a.kind !== 'reply' || b.kind !== 'reply') return ofBytes(recorded, actual);
  const [first] = differences(a, b);
  if (first !== undefined) return ofDifference(context.op, first);
  return firstMisplaced(a, b) ?? ofBytes(recorded, actual);
};

const divergence = (
  { index, seq, template }: Exchange,
  recorded: Uint8Array,
  actual: Uint8Array,
  options: { context: ReplyContext; rules: ReplyContext; negotiated: Negotiated },
): Divergence => {
  const { context, rules, negotiated } = options;
  const found = firstDifference(recorded, actual, rules, negotiated);
  const reason = found.reason === NO_RULE ? reasonOf(context.op, found.field) : found.reason;
  return {
    step: index,
    seq,
    op: context.op?.name ?? `opcode ${opcodeOf(template)}`,
    ...found,
    reason,
    recorded: lineOf(recorded, context, negotiated),
    live: lineOf(actual, context, negotiated),
  };
};

/**
 * What is different in `actual`, the reply that a server gave to the bound request; `undefined` when nothing is that
 * matters, or when nothing was recorded. Ids that the reply mints are not compared, only whether there is one. Where the
 * recorder dropped payload, the length and what was kept are compared. Costs well under a microsecond for what is the same.
 */
export const compareReply = (
  exchange: Exchange,
  actual: Uint8Array,
  negotiated: Negotiated,
  options: CompareOptions = {},
): Divergence | undefined => {
  const { template } = exchange;
  const recorded = keptReply(exchange);
  if (recorded === undefined) return undefined;
  const context = replyContext(template, negotiated);
  const strict = options.strict === true;
  const rules = strict ? strictContext(context) : context;
  if (sameAsFarAsKept(recorded, actual, rules, negotiated)) {
    if (!strict || errorOf(actual) !== 0 || !orderDiffers(recorded, actual, rules, negotiated))
      return undefined;
  }
  return divergence(exchange, recorded, actual, { context, rules, negotiated });
};
