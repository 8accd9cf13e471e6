/** Where the fields of a request's fixed part are in its bytes. */

import { IN_HEADER_SIZE } from '../protocol/header.js';
import type { FieldSpec, Struct } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Operation } from '../protocol/operations.js';
import { perSession } from '../protocol/per-session.js';
import { fieldsWithin, sizeUnder } from '../protocol/prefix.js';

/** A number of a request. */
export interface RequestField {
  readonly name: string;
  readonly spec: FieldSpec;
  /** Byte in the frame. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

const fieldsIn = (layout: Struct, size: number, at: number): RequestField[] =>
  fieldsWithin(layout, size).flatMap(({ name, spec, offset, size: bytes }) =>
    typeof spec === 'object' && spec.kind === 'struct'
      ? fieldsIn(spec, bytes, at + offset)
      : [{ name, spec, offset: at + offset, size: bytes }],
  );

/** Fields of the structs that an operation's body begins with under a session, those within structs too. */
export const requestFields = perSession((op: Operation, session: Negotiated): readonly RequestField[] => {
  const fields: RequestField[] = [];
  let at = IN_HEADER_SIZE;
  for (const part of op.request) {
    if (part.kind !== 'struct') break;
    const size = sizeUnder(part, session);
    fields.push(...fieldsIn(part.layout, size, at));
    at += size;
  }
  return fields;
});

/** Byte in the frame of a field by its name; `undefined` when the request has none under the session. */
export const fieldOffset = (op: Operation, field: string, session: Negotiated): number | undefined =>
  requestFields(op, session).find(({ name }) => name === field)?.offset;
