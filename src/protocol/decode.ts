/**
 * From the bytes of a frame to fields. Bytes that nobody vouches for give a value or a `DecodeError`, never anything
 * else. Decoded bytes and data share memory with the frame.
 */

import type { Cursor, Problem } from './cursor.js';
import { decodeExtensions, type Extension } from './extensions.js';
import type { Fields, FieldsOf, MutableFields } from './layout.js';
import { EXTLEN_SINCE_MINOR, hasFlag, type Negotiated, newestNegotiated } from './negotiated.js';
import {
  type Notification,
  type NotificationFields,
  type NotificationName,
  notificationOf,
} from './notifications.js';
import {
  type Operation,
  type OperationName,
  operationOf,
  type ReplyFields,
  type RequestFields,
} from './operations.js';
import { readAll, readersOf } from './part-reader.js';
import { perSession } from './per-session.js';
import { structReader } from './struct-reader.js';
import { inHeader, outHeader } from './structs.js';

/** Header of a request. */
export type InHeader = FieldsOf<typeof inHeader.fields>;
/** Header of a reply or notification. */
export type OutHeader = FieldsOf<typeof outHeader.fields>;
/** Body that no row of a table describes. */
export type RawFields = { readonly body: Uint8Array };
/** Body of an error reply. */
export type NoFields = Record<never, never>;

/** A request of the operation `name`. */
export interface Request<N extends OperationName> {
  readonly kind: 'request';
  readonly name: N;
  readonly op: Operation;
  readonly header: InHeader;
  readonly fields: RequestFields<N>;
  readonly extensions: readonly Extension[];
}
/** A request with an opcode that 7.45 does not have. */
export interface UnknownRequest {
  readonly kind: 'request';
  readonly name: undefined;
  readonly op: undefined;
  readonly header: InHeader;
  readonly fields: RawFields;
  readonly extensions: readonly Extension[];
}
/** Any request; `name` tells which. */
export type DecodedRequest = { [N in OperationName]: Request<N> }[OperationName] | UnknownRequest;

/** A good reply to the operation `name`. */
export interface Reply<N extends OperationName> {
  readonly kind: 'reply';
  readonly name: N;
  readonly op: Operation;
  readonly ok: true;
  readonly header: OutHeader;
  readonly fields: ReplyFields<N>;
}
/** A reply that says only an error. */
export interface ErrorReply {
  readonly kind: 'reply';
  readonly name: OperationName | undefined;
  readonly op: Operation | undefined;
  readonly ok: false;
  readonly header: OutHeader;
  readonly fields: NoFields;
}
/** A good reply to a request that 7.45 does not have, or that was not seen. */
export interface UnknownReply {
  readonly kind: 'reply';
  readonly name: undefined;
  readonly op: undefined;
  readonly ok: true;
  readonly header: OutHeader;
  readonly fields: RawFields;
}
/** Any reply; `ok` and `name` tell which. */
export type DecodedReply = { [N in OperationName]: Reply<N> }[OperationName] | ErrorReply | UnknownReply;

/** A notification. */
export interface KnownNotification<N extends NotificationName> {
  readonly kind: 'notification';
  readonly name: N;
  readonly op: Notification;
  readonly header: OutHeader;
  readonly fields: NotificationFields<N>;
}
/** A notification with a code that 7.45 does not have. */
export interface UnknownNotification {
  readonly kind: 'notification';
  readonly name: undefined;
  readonly op: undefined;
  readonly header: OutHeader;
  readonly fields: RawFields;
}
/** Any notification; `name` tells which. */
export type DecodedNotification =
  | { [N in NotificationName]: KnownNotification<N> }[NotificationName]
  | UnknownNotification;

/** Bytes that are no such message; the header is there when it could be read. */
export interface DecodeError extends Problem {
  readonly kind: 'decodeError';
  readonly message: 'request' | 'reply' | 'notification';
  readonly header: InHeader | OutHeader | undefined;
}

/** What a reply has to be read with: the row and fields of its request (a `DecodedRequest` will do). */
export interface ReplyContext {
  readonly op: Operation | undefined;
  readonly fields: Fields;
}

/** How strict to be. */
export interface DecodeOptions {
  /** The recorder dropped the end of the payload: take a shorter frame than its header says. */
  readonly cut?: boolean;
}

const readersFor = perSession((op: Operation, negotiated) => ({
  request: readersOf(op.request, negotiated),
  reply: readersOf(op.reply ?? [], negotiated),
}));
const readersForNotification = perSession((op: Notification, negotiated) => readersOf(op.body, negotiated));
const raw = readersOf([{ kind: 'bytes', field: 'body', content: 'data' }], newestNegotiated);
const readInHeader = structReader(inHeader, inHeader.size);
const readOutHeader = structReader(outHeader, outHeader.size);

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type Message = DecodeError['message'];
type Header = DecodeError['header'];
const failed = (message: Message, header: Header, problem: Problem): DecodeError => ({
  kind: 'decodeError',
  message,
  header,
  ...problem,
});

const tooShort = (message: Message, bytes: Uint8Array, need: number): DecodeError =>
  failed(message, undefined, { reason: 'short', offset: 0, need, have: bytes.length });

const lengthProblem = (bytes: Uint8Array, len: number, cut: boolean): Problem | undefined =>
  len === bytes.length || (cut && len > bytes.length)
    ? undefined
    : { reason: 'length', offset: 0, need: len, have: bytes.length };

const leftOver = ({ at, end }: Cursor): Problem | undefined =>
  at === end ? undefined : { reason: 'leftOver', offset: at, need: 0, have: end - at };

const noFields: NoFields = {};

/** Minors 36 and 37 appended security contexts without saying so in the header. */
const hasUnsaidExtensions = (op: Operation | undefined, negotiated: Negotiated): boolean =>
  op?.extended === true &&
  negotiated.minor >= 36 &&
  negotiated.minor < EXTLEN_SINCE_MINOR &&
  hasFlag(negotiated, 'SECURITY_CTX');

/**
 * Decodes a request of any operation; an unknown opcode gives its raw body. An error when the bytes are no request:
 * a field is cut, the header's length is wrong, or bytes are left over.
 */
export const decodeRequest = (
  bytes: Uint8Array,
  negotiated: Negotiated,
  options: DecodeOptions = {},
): DecodedRequest | DecodeError => {
  if (bytes.length < inHeader.size) return tooShort('request', bytes, inHeader.size);
  const view = viewOf(bytes);
  const cut = options.cut === true;
  const headerFields: MutableFields = {};
  readInHeader(view, 0, headerFields);
  const header = headerFields as InHeader;
  const wrongLength = lengthProblem(bytes, header.len, cut);
  if (wrongLength !== undefined) return failed('request', header, wrongLength);
  const op = operationOf(header.opcode);
  const extensionsSize = negotiated.minor < EXTLEN_SINCE_MINOR ? 0 : header.totalExtlen * 8;
  const end = bytes.length - extensionsSize;
  if (end < inHeader.size)
    return failed('request', header, {
      reason: 'extension',
      offset: inHeader.size,
      need: extensionsSize,
      have: bytes.length - inHeader.size,
    });
  const cursor: Cursor = { bytes, view, at: inHeader.size, end, cut, request: noFields };
  const fields: MutableFields = {};
  const unsaid = hasUnsaidExtensions(op, negotiated);
  const problem =
    readAll(op === undefined ? raw : readersFor(op, negotiated).request, cursor, fields) ??
    (unsaid ? undefined : leftOver(cursor));
  if (problem !== undefined) return failed('request', header, problem);
  const extensions = cursor.at === bytes.length ? [] : decodeExtensions(bytes, cursor.at, bytes.length);
  if (!Array.isArray(extensions)) return failed('request', header, extensions as Problem);
  return { kind: 'request', name: op?.name, op, header, fields, extensions } as DecodedRequest;
};

/**
 * Decodes a reply by its request; without one the body stays raw. An error when the bytes are no such reply; an error
 * reply with a body is one too (the kernel refuses it).
 */
export const decodeReply = (
  bytes: Uint8Array,
  context: ReplyContext | undefined,
  negotiated: Negotiated,
  options: DecodeOptions = {},
): DecodedReply | DecodeError => {
  if (bytes.length < outHeader.size) return tooShort('reply', bytes, outHeader.size);
  const view = viewOf(bytes);
  const cut = options.cut === true;
  const headerFields: MutableFields = {};
  readOutHeader(view, 0, headerFields);
  const header = headerFields as OutHeader;
  const wrongLength = lengthProblem(bytes, header.len, cut);
  if (wrongLength !== undefined) return failed('reply', header, wrongLength);
  const op = context?.op;
  const ok = header.error === 0;
  const request = context?.fields ?? noFields;
  const cursor: Cursor = { bytes, view, at: outHeader.size, end: bytes.length, cut, request };
  const fields: MutableFields = {};
  const good = op === undefined ? raw : readersFor(op, negotiated).reply;
  const problem = (ok ? readAll(good, cursor, fields) : undefined) ?? leftOver(cursor);
  if (problem !== undefined) return failed('reply', header, problem);
  return { kind: 'reply', name: op?.name, op, ok, header, fields } as DecodedReply;
};

/** Decodes a notification; an unknown code gives its raw body. */
export const decodeNotification = (
  bytes: Uint8Array,
  negotiated: Negotiated = newestNegotiated,
  options: DecodeOptions = {},
): DecodedNotification | DecodeError => {
  if (bytes.length < outHeader.size) return tooShort('notification', bytes, outHeader.size);
  const view = viewOf(bytes);
  const cut = options.cut === true;
  const headerFields: MutableFields = {};
  readOutHeader(view, 0, headerFields);
  const header = headerFields as OutHeader;
  const wrongLength = lengthProblem(bytes, header.len, cut);
  if (wrongLength !== undefined) return failed('notification', header, wrongLength);
  const op = notificationOf(header.error);
  const cursor: Cursor = { bytes, view, at: outHeader.size, end: bytes.length, cut, request: noFields };
  const fields: MutableFields = {};
  const readers = op === undefined ? raw : readersForNotification(op, negotiated);
  const problem = readAll(readers, cursor, fields) ?? leftOver(cursor);
  if (problem !== undefined) return failed('notification', header, problem);
  return { kind: 'notification', name: op?.name, op, header, fields } as DecodedNotification;
};
