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
import { type PartReader, readAll, readersOf } from './part-reader.js';
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

type Message = DecodeError['message'];

const failed = (message: Message, header: DecodeError['header'], problem: Problem): DecodeError => ({
  kind: 'decodeError',
  message,
  header,
  ...problem,
});

const noFields: NoFields = {};

/** A frame whose header was read: the header, and a cursor behind it. */
interface Opened<Header> {
  readonly kind: 'opened';
  readonly header: Header;
  readonly cursor: Cursor;
}

/** How the header of a message is read. */
interface HeaderFormat<Header> {
  readonly size: number;
  readonly read: (view: DataView) => Header;
}

const requestFormat: HeaderFormat<InHeader> = {
  size: inHeader.size,
  read: (view) => {
    const fields: MutableFields = {};
    readInHeader(view, 0, fields);
    return fields as InHeader;
  },
};
const replyFormat: HeaderFormat<OutHeader> = {
  size: outHeader.size,
  read: (view) => {
    const fields: MutableFields = {};
    readOutHeader(view, 0, fields);
    return fields as OutHeader;
  },
};

const open = <Header extends InHeader | OutHeader>(
  message: Message,
  bytes: Uint8Array,
  { size, read }: HeaderFormat<Header>,
  { cut = false }: DecodeOptions,
): Opened<Header> | DecodeError => {
  const have = bytes.length;
  if (have < size) return failed(message, undefined, { reason: 'short', offset: 0, need: size, have });
  const view = new DataView(bytes.buffer, bytes.byteOffset, have);
  const header = read(view);
  const { len } = header;
  if (len !== have && !(cut && len > have))
    return failed(message, header, { reason: 'length', offset: 0, need: len, have });
  return { kind: 'opened', header, cursor: { bytes, view, at: size, end: have, cut, request: noFields } };
};

/** Reads a body, all of it. */
const readWhole = (
  readers: readonly PartReader[],
  cursor: Cursor,
  into: MutableFields,
): Problem | undefined => {
  const problem = readAll(readers, cursor, into);
  if (problem !== undefined || cursor.at === cursor.end) return problem;
  return { reason: 'leftOver', offset: cursor.at, need: 0, have: cursor.end - cursor.at };
};

/**
 * Kernels of minors 36 and 37 appended security contexts without saying so in the header. A newer kernel says so even to a
 * server that answered an old minor.
 */
const hasUnsaidExtensions = (op: Operation | undefined, header: InHeader, negotiated: Negotiated): boolean =>
  op?.extended === true &&
  header.totalExtlen === 0 &&
  negotiated.minor < EXTLEN_SINCE_MINOR &&
  hasFlag(negotiated, 'SECURITY_CTX');

const noExtensions: readonly Extension[] = [];

const isProblem = (value: readonly Extension[] | Problem): value is Problem => 'reason' in value;

/**
 * Decodes a request of any operation; an unknown opcode gives its raw body. An error when the bytes are no request:
 * a field is cut, the header's length is wrong, or bytes are left over.
 */
export const decodeRequest = (
  bytes: Uint8Array,
  negotiated: Negotiated,
  options: DecodeOptions = {},
): DecodedRequest | DecodeError => {
  const opened = open('request', bytes, requestFormat, options);
  if (opened.kind === 'decodeError') return opened;
  const { header, cursor } = opened;
  const op = operationOf(header.opcode);
  const extlen = header.totalExtlen * 8;
  const have = cursor.end - cursor.at;
  if (extlen > have)
    return failed('request', header, { reason: 'extension', offset: cursor.at, need: extlen, have });
  const body: Cursor = extlen === 0 ? cursor : { ...cursor, end: cursor.end - extlen };
  const readers = op === undefined ? raw : readersFor(op, negotiated).request;
  const fields: MutableFields = {};
  const problem = (hasUnsaidExtensions(op, header, negotiated) ? readAll : readWhole)(readers, body, fields);
  if (problem !== undefined) return failed('request', header, problem);
  const extensions = body.at === cursor.end ? noExtensions : decodeExtensions(bytes, body.at, cursor.end);
  if (isProblem(extensions)) return failed('request', header, extensions);
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
  const opened = open('reply', bytes, replyFormat, options);
  if (opened.kind === 'decodeError') return opened;
  const { header } = opened;
  const op = context?.op;
  const ok = header.error === 0;
  const good = op === undefined ? raw : readersFor(op, negotiated).reply;
  const fields: MutableFields = {};
  const cursor: Cursor = { ...opened.cursor, request: context?.fields ?? noFields };
  const problem = readWhole(ok ? good : [], cursor, fields);
  if (problem !== undefined) return failed('reply', header, problem);
  return { kind: 'reply', name: op?.name, op, ok, header, fields } as DecodedReply;
};

/** Decodes a notification; an unknown code gives its raw body. */
export const decodeNotification = (
  bytes: Uint8Array,
  negotiated: Negotiated = newestNegotiated,
  options: DecodeOptions = {},
): DecodedNotification | DecodeError => {
  const opened = open('notification', bytes, replyFormat, options);
  if (opened.kind === 'decodeError') return opened;
  const { header, cursor } = opened;
  const op = notificationOf(header.error);
  const readers = op === undefined ? raw : readersForNotification(op, negotiated);
  const fields: MutableFields = {};
  const problem = readWhole(readers, cursor, fields);
  if (problem !== undefined) return failed('notification', header, problem);
  return { kind: 'notification', name: op?.name, op, header, fields } as DecodedNotification;
};
