/** The parts that one good reply really has, once its request and its own bytes have decided between two forms. */

import type { ReplyContext } from './decode.js';
import { fieldAt } from './layout.js';
import type { Operation } from './operations.js';
import { holds, type Part, type SimplePart } from './parts.js';
import { u32At } from './raw.js';
import { outHeader } from './structs.js';

const numberIn = (context: ReplyContext, field: string): number => {
  const value = context.fields[field];
  return typeof value === 'number' ? value : 0;
};

const ownNumber = (parts: readonly Part[], reply: Uint8Array, field: string): number => {
  const [first] = parts;
  const found = first?.kind === 'struct' ? fieldAt(first.layout, field) : undefined;
  return found === undefined ? 0 : u32At(reply, outHeader.size + found.offset);
};

/** Which form a choice takes in this reply: true for `then`. Replies without a choice give false. */
export const takesFirstForm = (op: Operation, reply: Uint8Array, context: ReplyContext): boolean => {
  const parts = op.reply ?? [];
  const last = parts.at(-1);
  if (last?.kind !== 'choice') return false;
  const { when } = last;
  const value = when.from === 'request' ? numberIn(context, when.field) : ownNumber(parts, reply, when.field);
  return holds(when, value);
};

/** Parts of a reply with its choice, which is always last, taken. */
export const partsOfForm = (op: Operation, first: boolean): readonly SimplePart[] =>
  (op.reply ?? []).flatMap((part) => {
    if (part.kind !== 'choice') return [part];
    return first ? part.then : part.otherwise;
  });
