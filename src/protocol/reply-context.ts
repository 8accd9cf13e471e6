/**
 * The little of a request that its reply is read with, taken from the raw bytes: a recorder can keep one for each request
 * in flight without decoding it.
 */

import type { ReplyContext } from './decode.js';
import { opcodeOf } from './header.js';
import { type Fields, fieldAt } from './layout.js';
import type { Negotiated } from './negotiated.js';
import { type Operation, operationOf } from './operations.js';
import { perSession } from './per-session.js';
import { u32At } from './raw.js';
import { inHeader } from './structs.js';

interface Wanted {
  readonly field: string;
  readonly at: number;
}

const none: Fields = {};

const wantedBy = perSession((op: Operation, _session: Negotiated): readonly Wanted[] => {
  const first = op.request[0];
  if (first?.kind !== 'struct') return [];
  return (op.reply ?? []).flatMap((part) => {
    if (part.kind !== 'choice' || part.when.from !== 'request') return [];
    const found = fieldAt(first.layout, part.when.field);
    return found === undefined ? [] : [{ field: part.when.field, at: inHeader.size + found.offset }];
  });
});

/** Context for the reply to a request; `op` is undefined for an unknown opcode. */
export const replyContext = (request: Uint8Array, negotiated: Negotiated): ReplyContext => {
  const op = operationOf(opcodeOf(request));
  const wanted = op === undefined ? [] : wantedBy(op, negotiated);
  if (wanted.length === 0) return { op, fields: none };
  return { op, fields: Object.fromEntries(wanted.map(({ field, at }) => [field, u32At(request, at)])) };
};
