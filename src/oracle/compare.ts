/**
 * Whether a server answered as the recorded one did: by masked bytes as long as it did, by decoded fields once it did not.
 * Which fields may differ, and why, stands in the operation table; nothing here knows an operation.
 */

import type { ReplyContext } from '../protocol/decode.js';
import { errorOf, lengthOf, opcodeOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Operation } from '../protocol/operations.js';
import { replyContext } from '../protocol/reply-context.js';
import { sameReply } from '../protocol/same-reply.js';
import { type Disagreement, firstDisagreement, isReordered, lineOf, type Pair } from './divergence.js';

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
export interface Divergence extends Disagreement {
  readonly step: number;
  readonly seq: number;
  /** Operation, or `opcode N`. */
  readonly op: string;
  /** Both replies on one line each. */
  readonly recorded: string;
  readonly live: string;
}

const keptReply = ({ reply, replyKept = reply?.length ?? 0 }: Exchange): Uint8Array | undefined =>
  reply === undefined || replyKept === reply.length ? reply : reply.subarray(0, replyKept);

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
const agreeAsFarAsKept = ({ recorded, live, rules, negotiated }: Pair): boolean => {
  const length = lengthOf(recorded);
  if (length <= recorded.length) return sameReply(recorded, live, rules, negotiated);
  return live.length === length && sameReply(recorded, live.subarray(0, recorded.length), rules, negotiated);
};

const divergence = ({ index, seq, template }: Exchange, pair: Pair): Divergence => ({
  step: index,
  seq,
  op: pair.lenient.op?.name ?? `opcode ${opcodeOf(template)}`,
  ...firstDisagreement(pair),
  recorded: lineOf(pair.recorded, pair.lenient, pair.negotiated),
  live: lineOf(pair.live, pair.lenient, pair.negotiated),
});

/**
 * What is different in `live`, the reply that a server gave to the bound request; `undefined` when nothing is that
 * matters, or when nothing was recorded. Ids that the reply mints are not compared, only whether there is one. Where the
 * recorder dropped payload, the length and what was kept are compared. Costs well under a microsecond for what is the same.
 */
export const compareReply = (
  exchange: Exchange,
  live: Uint8Array,
  negotiated: Negotiated,
  { strict = false }: CompareOptions = {},
): Divergence | undefined => {
  const recorded = keptReply(exchange);
  if (recorded === undefined) return undefined;
  const lenient = replyContext(exchange.template, negotiated);
  const pair = { recorded, live, lenient, rules: strict ? strictContext(lenient) : lenient, negotiated };
  const agree = agreeAsFarAsKept(pair) && !(strict && errorOf(live) === 0 && isReordered(pair));
  return agree ? undefined : divergence(exchange, pair);
};
