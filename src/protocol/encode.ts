/**
 * From fields to the bytes of a frame, the inverse of `decode.ts`: a frame that decodes encodes back to the same bytes.
 * Absent fields become zero; `header.len` and the opcode are always computed.
 */

import type { ErrorReply, RawFields, ReplyContext } from './decode.js';
import { type Extension, encodeExtensions } from './extensions.js';
import type { Fields } from './layout.js';
import { EXTLEN_SINCE_MINOR, type Negotiated, newestNegotiated } from './negotiated.js';
import {
  type Notification,
  type NotificationFields,
  type NotificationName,
  notificationNamed,
} from './notifications.js';
import {
  type Operation,
  type OperationName,
  operationNamed,
  type ReplyFields,
  type RequestFields,
} from './operations.js';
import { type PartWriter, writerOf } from './part-writer.js';
import { perSession } from './per-session.js';
import { Sink } from './sink.js';
import { structWriter } from './struct-writer.js';
import { inHeader, outHeader } from './structs.js';

/** Fields to encode: like decoded ones, but any may be absent and ids may be plain bigints. */
export type Draft<T> = T extends Uint8Array
  ? Uint8Array
  : T extends bigint
    ? bigint
    : T extends readonly (infer E)[]
      ? readonly Draft<E>[]
      : T extends object
        ? { readonly [K in keyof T]?: Draft<T[K]> | undefined }
        : T;

/** Header of a request to encode. `len` tells how long an INIT that was decoded is; the opcode counts only without a name. */
export interface InHeaderDraft {
  readonly len?: number;
  readonly opcode?: number;
  readonly unique: bigint;
  readonly nodeid?: bigint;
  readonly uid?: number;
  readonly gid?: number;
  readonly pid?: number;
  readonly totalExtlen?: number;
  readonly padding?: number;
}

/** Header of a reply to encode; `error` is 0 or a negative errno. */
export interface OutHeaderDraft {
  readonly len?: number;
  readonly error?: number;
  readonly unique: bigint;
}

/** A request to encode; a `DecodedRequest` will do. Without a name the header's opcode and `fields.body` are sent. */
export type RequestDraft<N extends OperationName = OperationName> =
  | {
      readonly name: N;
      readonly header: InHeaderDraft;
      readonly fields?: Draft<RequestFields<N>>;
      readonly extensions?: readonly Extension[];
    }
  | {
      readonly name: undefined;
      readonly header: InHeaderDraft & { readonly opcode: number };
      readonly fields: RawFields;
      readonly extensions?: readonly Extension[];
    };

/** A reply to encode; a `DecodedReply` will do. There are no fields when `header.error` is not 0. */
export type ReplyDraft<N extends OperationName = OperationName> =
  | { readonly name: N; readonly header: OutHeaderDraft; readonly fields?: Draft<ReplyFields<N>> }
  | { readonly name: undefined; readonly header: OutHeaderDraft; readonly fields: RawFields }
  | ErrorReply;

/** A notification to encode; a `DecodedNotification` will do. Without a name the header's `error` is the code. */
export type NotificationDraft<N extends NotificationName = NotificationName> =
  | {
      readonly name: N;
      readonly header?: { readonly error: number };
      readonly fields?: Draft<NotificationFields<N>>;
    }
  | { readonly name: undefined; readonly header: { readonly error: number }; readonly fields: RawFields };

const writersFor = perSession((op: Operation, negotiated) => ({
  request: writerOf(op.request, negotiated),
  reply: writerOf(op.reply ?? [], negotiated),
}));
const writerForNotification = perSession((op: Notification, negotiated) => writerOf(op.body, negotiated));
const raw: PartWriter = writerOf([{ kind: 'bytes', field: 'body', content: 'data' }], newestNegotiated);
const writeInHeader = structWriter(inHeader, inHeader.size);
const writeOutHeader = structWriter(outHeader, outHeader.size);

const noFields: Fields = {};
const NO_BYTES = new Uint8Array(0);

const extlenOf = ({ totalExtlen }: InHeaderDraft, extensions: Uint8Array, negotiated: Negotiated): number => {
  if (totalExtlen !== undefined) return totalExtlen;
  return negotiated.minor < EXTLEN_SINCE_MINOR ? 0 : Math.ceil(extensions.length / 8);
};

/** Encodes a request. */
export const encodeRequest = <N extends OperationName>(
  request: RequestDraft<N>,
  negotiated: Negotiated,
): Uint8Array => {
  const { name, header, fields = noFields, extensions = [] } = request;
  const op = name === undefined ? undefined : operationNamed(name);
  const sink = new Sink();
  sink.reserve(inHeader.size);
  const write = op === undefined ? raw : writersFor(op, negotiated).request;
  const appended = extensions.length === 0 ? NO_BYTES : encodeExtensions(extensions);
  const length = header.len === undefined ? undefined : header.len - inHeader.size - appended.length;
  write(sink, fields as Fields, { request: noFields, length });
  sink.put(appended);
  const opcode = op?.opcode ?? header.opcode;
  const totalExtlen = extlenOf(header, appended, negotiated);
  writeInHeader(sink.view, 0, { ...header, opcode, totalExtlen, len: sink.length });
  return sink.finish();
};

const reply = (header: OutHeaderDraft, write: PartWriter, fields: Fields, request: Fields): Uint8Array => {
  const sink = new Sink();
  sink.reserve(outHeader.size);
  const length = header.len === undefined ? undefined : header.len - outHeader.size;
  write(sink, fields, { request, length });
  writeOutHeader(sink.view, 0, { ...header, len: sink.length });
  return sink.finish();
};

const nothing: PartWriter = () => undefined;

/**
 * Encodes a reply. `context` (the request, decoded) is needed only where the form of the reply depends on the request:
 * GETXATTR and LISTXATTR.
 */
export const encodeReply = <N extends OperationName>(
  { name, header, fields = noFields }: ReplyDraft<N>,
  context: Pick<ReplyContext, 'fields'> | undefined,
  negotiated: Negotiated,
): Uint8Array => {
  const good = name === undefined ? raw : writersFor(operationNamed(name), negotiated).reply;
  const write = (header.error ?? 0) === 0 ? good : nothing;
  return reply(header, write, fields as Fields, context?.fields ?? noFields);
};

/** A reply that says only an error: a negative errno, or 0 for success without a body. */
export const encodeError = (unique: bigint, error: number): Uint8Array =>
  reply({ unique, error }, nothing, noFields, noFields);

/** Encodes a notification. */
export const encodeNotification = <N extends NotificationName>(
  notification: NotificationDraft<N>,
  negotiated: Negotiated = newestNegotiated,
): Uint8Array => {
  const { name, fields = noFields } = notification;
  if (name === undefined)
    return reply({ unique: 0n, error: notification.header?.error ?? 0 }, raw, fields as Fields, noFields);
  const op = notificationNamed(name);
  const write = writerForNotification(op, negotiated);
  return reply({ unique: 0n, error: op.code }, write, fields as Fields, noFields);
};
