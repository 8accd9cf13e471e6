/** Replies as words and back, with raw bytes for what fields do not give back. */

import { errnoName, errnoNumber } from '../../base/errno.js';
import { decodeReply } from '../../protocol/decode.js';
import { encodeError, encodeReply } from '../../protocol/encode.js';
import { errorOf, OUT_HEADER_SIZE, opcodeOf, uniqueOf } from '../../protocol/header.js';
import type { Fields } from '../../protocol/layout.js';
import { type Operation, operationOf } from '../../protocol/operations.js';
import type { Part } from '../../protocol/parts.js';
import { u64At } from '../../protocol/raw.js';
import { replyContext } from '../../protocol/reply-context.js';
import { fieldWords, parseFields } from './fields.js';
import { frameLength, lengthTold, lengthToTell } from './frame-length.js';
import { type Identified, located, marked, replyPlaces } from './identified.js';
import type { Line } from './line.js';
import { identifiedRaw, parseRaw, type RawFrame, rawWords } from './raw-frame.js';
import { type Reference, References, ReferenceTexts } from './references.js';
import type { BuiltFrame, FrameReading, FrameWriting } from './request-text.js';

/** A reply in words; raw words hold the header too, and have no unique. */
export interface ReplyText {
  readonly words: readonly string[];
  readonly unique: bigint | undefined;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const extended = new WeakMap<Operation, readonly Part[]>();
/** The parts of a reply, and its length. */
const partsOf = (op: Operation): readonly Part[] => {
  const known = extended.get(op) ?? [...(op.reply ?? []), frameLength];
  extended.set(op, known);
  return known;
};

const asError = (reply: Uint8Array): ReplyText | undefined => {
  const error = errorOf(reply);
  const unique = uniqueOf(reply);
  const name = errnoName(error);
  const isPlain = error < 0 && errnoNumber(name) === -error && sameBytes(reply, encodeError(unique, error));
  return isPlain ? { words: [name], unique } : undefined;
};

const asFields = (
  request: Uint8Array,
  reply: Uint8Array,
  ids: readonly Identified[],
  { session, store, numberOf }: FrameWriting,
): ReplyText | undefined => {
  const context = replyContext(request, session);
  const bytes = marked(reply, ids);
  const decoded = decodeReply(bytes, context, session);
  if (decoded.kind !== 'reply' || decoded.op === undefined || !decoded.ok) return undefined;
  const { op, name, fields } = decoded;
  const { unique } = decoded.header;
  const length = lengthToTell(bytes, (told) =>
    encodeReply({ name, header: { unique, ...told }, fields }, context, session),
  );
  if (length === undefined) return undefined;
  if (ids.some(({ reference, offset }) => numberOf(reference) !== u64At(reply, offset))) return undefined;
  const references = new ReferenceTexts(ids.map(({ reference }) => reference));
  const words = fieldWords(
    partsOf(op),
    { ...fields, frameLength: length },
    { reference: references.textOf, store },
  );
  if (!references.areTold) return undefined;
  return { words: ['OK', ...words], unique };
};

/** The reply to a request in words: `OK` and its fields, or the name of an error. */
export const replyText = (
  request: Uint8Array,
  reply: Uint8Array,
  ids: readonly Identified[],
  writing: FrameWriting,
): ReplyText => {
  const text = errorOf(reply) === 0 ? asFields(request, reply, ids, writing) : asError(reply);
  if (text !== undefined) return text;
  const { sites } = replyPlaces(operationOf(opcodeOf(request)), reply, writing.session);
  return { words: rawWords(reply, ids, sites, writing.store), unique: undefined };
};

/** A reply that was read but for its unique. */
export type ReplyDraft =
  | { readonly kind: 'raw'; readonly frame: RawFrame }
  | { readonly kind: 'error'; readonly errno: number }
  | { readonly kind: 'fields'; readonly fields: Fields; readonly references: readonly Reference[] };

/** Reads the words of a reply to `request`. */
export const parseReply = (line: Line, request: Uint8Array, { load }: FrameReading): ReplyDraft => {
  const frame = parseRaw(line, load);
  if (frame !== undefined) return { kind: 'raw', frame };
  const errno = line.parsed('OK, the name of an error, or raw=…', (text) =>
    text === 'OK' ? 0 : errnoNumber(text),
  );
  if (errno !== 0) return { kind: 'error', errno };
  const op = operationOf(opcodeOf(request));
  const { list, marker } = new References();
  return {
    kind: 'fields',
    fields: parseFields(op === undefined ? [] : partsOf(op), line, { marker, load }),
    references: list,
  };
};

/** Puts a reply together. Its ids still hold markers, unless it was raw. */
export const buildReply = (
  draft: ReplyDraft,
  { request, unique }: { readonly request: Uint8Array; readonly unique: bigint },
  line: Line,
  { session }: FrameReading,
): BuiltFrame => {
  const op = operationOf(opcodeOf(request));
  if (draft.kind === 'error') return { bytes: encodeError(unique, -draft.errno), ids: [] };
  if (draft.kind === 'raw') {
    const { bytes } = draft.frame;
    if (bytes.length < OUT_HEADER_SIZE)
      line.fail(`a reply of at least ${OUT_HEADER_SIZE} bytes`, `${bytes.length}`);
    return { bytes, ids: identifiedRaw(draft.frame, replyPlaces(op, bytes, session), line) };
  }
  if (op === undefined) return line.fail('raw=… as the operation is unknown', 'fields');
  const { fields, references } = draft;
  const len = lengthTold(fields);
  const header = { unique, ...(len === undefined ? {} : { len }) };
  const bytes = encodeReply({ name: op.name, header, fields }, replyContext(request, session), session);
  return { bytes, ids: located(bytes, replyPlaces(op, bytes, session), references, line) };
};
