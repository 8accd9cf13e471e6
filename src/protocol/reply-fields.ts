/** Decodes replies for callers who know what they asked, so that the type of the fields follows from the operation. */

import { decodeReply } from './decode.js';
import type { Draft } from './encode.js';
import type { Fields } from './layout.js';
import type { Negotiated } from './negotiated.js';
import { type OperationName, operationNamed, type ReplyFields, type RequestFields } from './operations.js';

/** What was asked. */
export interface Asked<N extends OperationName> {
  readonly name: N;
  readonly fields: Draft<RequestFields<N>>;
}

/** Fields of a good reply; `undefined` for an error reply and for bytes that are no reply to this. They share memory with it. */
export const replyFieldsOf = <N extends OperationName>(
  { name, fields }: Asked<N>,
  reply: Uint8Array,
  negotiated: Negotiated,
): ReplyFields<N> | undefined => {
  const context = { op: operationNamed(name), fields: fields as Fields };
  const decoded = decodeReply(reply, context, negotiated);
  return decoded.kind === 'reply' && decoded.ok ? (decoded.fields as ReplyFields<N>) : undefined;
};
