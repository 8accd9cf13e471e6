/** Two replies that do not agree, for people: the first field that differs, both sides, and why it counts. */

import { type DecodedReply, decodeReply, type ReplyContext } from '../protocol/decode.js';
import { type Difference, differences } from '../protocol/differences.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { compareReasons } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import { decodeErrorText, replyText } from '../protocol/print.js';
import { bytesText, valueText } from './text.js';

/** What differs, and why that counts. */
export interface Disagreement {
  /** Dotted path of the first field that differs; `error`, `length` or `body` for what is no field. */
  readonly field: string;
  /** That field in the recorded reply, and in the live one. */
  readonly expected: string;
  readonly actual: string;
  /** Why it counts. */
  readonly reason: string;
}

/** Two replies to one request; `lenient` as the table says, `rules` as they were compared. */
export interface Pair {
  readonly recorded: Uint8Array;
  readonly live: Uint8Array;
  readonly lenient: ReplyContext;
  readonly rules: ReplyContext;
  readonly negotiated: Negotiated;
}

const NO_RULE = 'no rule lets it differ';

const decoded = (
  { recorded, live, negotiated }: Pair,
  context: ReplyContext,
): readonly [DecodedReply, DecodedReply] | undefined => {
  const a = decodeReply(recorded, context, negotiated, { cut: true });
  const b = decodeReply(live, context, negotiated, { cut: true });
  return a.kind === 'reply' && b.kind === 'reply' ? [a, b] : undefined;
};

/** Path of a rule: `entries[name].attr.ino` has its rule at `attr.ino` in each of `entries`. */
const placeOf = (path: string): { each: string | undefined; field: string } => {
  const item = /^(\w+)\[.*\]\.(.*)$/s.exec(path);
  return item === null ? { each: undefined, field: path } : { each: item[1], field: item[2] ?? '' };
};

/** Why the table would have let a field differ. */
const excuseOf = (op: Operation | undefined, path: string): string => {
  const { each, field } = placeOf(path);
  const rule = op?.compare.find((one) => one.field === field && one.each === each);
  return rule === undefined ? NO_RULE : `passes unless strict: ${compareReasons[rule.why]}`;
};

const reasonOf = (pair: Pair, path: string): string => {
  if (path === 'error') return 'another outcome';
  if (pair.rules === pair.lenient) return NO_RULE;
  const sides = decoded(pair, pair.lenient);
  const counts = sides !== undefined && differences(...sides).some((difference) => difference.path === path);
  return counts ? NO_RULE : excuseOf(pair.lenient.op, path);
};

const ofDifference = (pair: Pair, { path, recorded, live }: Difference): Disagreement => ({
  field: path,
  expected: valueText(recorded, { path, beside: live }),
  actual: valueText(live, { path, beside: recorded }),
  reason: reasonOf(pair, path),
});

const ofBytes = ({ recorded, live }: Pair): Disagreement => ({
  field: recorded.length === live.length ? 'body' : 'length',
  expected: bytesText(recorded, live),
  actual: bytesText(live, recorded),
  reason: NO_RULE,
});

const namesOf = (reply: DecodedReply): string[] =>
  'entries' in reply.fields ? reply.fields.entries.map(({ name }) => name) : [];

/** The first record that stands at another place; `undefined` when all stand as recorded. */
const firstMisplaced = ([a, b]: readonly [DecodedReply, DecodedReply]): Disagreement | undefined => {
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

/** Whether the records of a directory stand in another order. */
export const isReordered = (pair: Pair): boolean => {
  if (pair.rules.op?.compare.some(({ how }) => how === 'unordered') !== true) return false;
  const sides = decoded(pair, pair.rules);
  return sides !== undefined && firstMisplaced(sides) !== undefined;
};

/** The first thing in which two replies differ that do not agree. */
export const firstDisagreement = (pair: Pair): Disagreement => {
  const sides = decoded(pair, pair.rules);
  if (sides === undefined) return ofBytes(pair);
  const [first] = differences(...sides);
  return first === undefined ? (firstMisplaced(sides) ?? ofBytes(pair)) : ofDifference(pair, first);
};

/** A reply on one line. */
export const lineOf = (bytes: Uint8Array, context: ReplyContext, negotiated: Negotiated): string => {
  const reply = decodeReply(bytes, context, negotiated, { cut: true });
  return reply.kind === 'reply' ? replyText(reply) : decodeErrorText(reply);
};
