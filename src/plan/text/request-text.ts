/**
 * Requests as words and back. One that its fields do not give back byte for byte is written as raw bytes, so that whatever
 * was recorded survives.
 */

import { type DecodedRequest, decodeRequest } from '../../protocol/decode.js';
import { encodeRequest } from '../../protocol/encode.js';
import { decodeExtensions, type Extension, encodeExtensions } from '../../protocol/extensions.js';
import { opcodeOf } from '../../protocol/header.js';
import type { Fields } from '../../protocol/layout.js';
import type { Negotiated } from '../../protocol/negotiated.js';
import { type Operation, operationNamed, operationOf } from '../../protocol/operations.js';
import { type Part, rest } from '../../protocol/parts.js';
import { u64At } from '../../protocol/raw.js';
import { fieldWords, parseFields } from './fields.js';
import { frameLength, lengthTold, lengthToTell } from './frame-length.js';
import { type Identified, located, marked, requestPlaces } from './identified.js';
import type { Line } from './line.js';
import { bigText, parseBig } from './numbers.js';
import type { LoadPayload, StorePayload } from './payload.js';
import { identifiedRaw, operationText, parseRaw, type RawFrame, rawWords } from './raw-frame.js';
import { type Reference, References, ReferenceTexts } from './references.js';

/** What the header of a request says besides what follows from the rest. */
export interface HeaderFacts {
  readonly unique: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** What writing words needs to know. */
export interface FrameWriting {
  readonly session: Negotiated;
  readonly store: StorePayload;
  /** Number that a reference will stand for when the words are read again; `undefined` when that is unknown. */
  readonly numberOf: (reference: Reference) => bigint | undefined;
}

/** What reading words needs to know. */
export interface FrameReading {
  readonly session: Negotiated;
  readonly load: LoadPayload;
}

/** A request in words; raw words hold the header too, and have no facts. */
export interface RequestText {
  readonly words: readonly string[];
  readonly facts: HeaderFacts | undefined;
}

const extensionBytes = rest('extensions');
const extended = new WeakMap<readonly Part[], readonly Part[]>();
/** The parts of a request with what stands outside of its body. */
const partsOf = (op: Operation): readonly Part[] => {
  const known = extended.get(op.request) ?? [...op.request, frameLength, extensionBytes];
  extended.set(op.request, known);
  return known;
};

type Known = Extract<DecodedRequest, { op: Operation }>;

const encodeAs = (request: Known, length: { len?: number }, session: Negotiated): Uint8Array => {
  const { unique, nodeid, uid, gid, pid } = request.header;
  const header = { unique, nodeid, uid, gid, pid, ...length };
  const { name, fields, extensions } = request;
  return encodeRequest({ name, header, fields, extensions }, session);
};

const isTold = (template: Uint8Array, ids: readonly Identified[], { numberOf }: FrameWriting): boolean =>
  ids.every(({ reference, offset }) => numberOf(reference) === u64At(template, offset));

const asFields = (
  template: Uint8Array,
  ids: readonly Identified[],
  writing: FrameWriting,
): RequestText | undefined => {
  const bytes = marked(template, ids);
  const request = decodeRequest(bytes, writing.session);
  if (request.kind !== 'request' || request.op === undefined || !isTold(template, ids, writing))
    return undefined;
  const length = lengthToTell(bytes, (told) => encodeAs(request, told, writing.session));
  if (length === undefined) return undefined;
  const references = new ReferenceTexts(ids.map(({ reference }) => reference));
  const reference = references.textOf;
  const { unique, nodeid, uid, gid, pid } = request.header;
  const node = nodeid === 0n ? [] : [reference(nodeid) ?? bigText(nodeid)];
  const extensions = encodeExtensions(request.extensions);
  const fields: Fields = { ...request.fields, frameLength: length, extensions };
  const words = fieldWords(partsOf(request.op), fields, { reference, store: writing.store });
  if (!references.areTold) return undefined;
  return { words: [request.op.name, ...node, ...words], facts: { unique, uid, gid, pid } };
};

/** A request in words, the operation first. */
export const requestText = (
  template: Uint8Array,
  ids: readonly Identified[],
  writing: FrameWriting,
): RequestText => {
  const text = asFields(template, ids, writing);
  if (text !== undefined) return text;
  const op = operationOf(opcodeOf(template));
  const { sites } = requestPlaces(op, template, writing.session);
  const words = [operationText(op, template), ...rawWords(template, ids, sites, writing.store)];
  return { words, facts: undefined };
};

/** A request that was read but for its facts. */
export type RequestDraft =
  | { readonly kind: 'raw'; readonly frame: RawFrame }
  | {
      readonly kind: 'fields';
      readonly op: Operation;
      readonly nodeid: bigint;
      readonly fields: Fields;
      readonly references: readonly Reference[];
    };

const OPCODE = /^opcode:\d+$/;

/** Reads the words of a request. */
export const parseRequest = (line: Line, { load }: FrameReading): RequestDraft => {
  const op = line.parsed('the name of an operation', (text) =>
    OPCODE.test(text) ? 'unknown' : operationNamed(text),
  );
  const frame = parseRaw(line, load);
  if (frame !== undefined) return { kind: 'raw', frame };
  if (op === 'unknown') return line.fail('raw=…');
  const { list, marker } = new References();
  const node = line.atomIf((text) => /^[%@\d]/.test(text));
  const nodeid =
    node === undefined
      ? 0n
      : (marker(node) ?? parseBig(node) ?? line.fail('a number or an id, such as %n5 or %n5-8', node));
  const fields = parseFields(partsOf(op), line, { marker, load });
  return { kind: 'fields', op, nodeid, fields, references: list };
};

const extensionsIn = (fields: Fields, line: Line): readonly Extension[] => {
  const bytes = fields.extensions instanceof Uint8Array ? fields.extensions : new Uint8Array(0);
  const extensions = decodeExtensions(bytes, 0, bytes.length);
  return 'reason' in extensions ? line.fail('well-formed extensions', extensions.reason) : extensions;
};

/** A frame and the ids in it. */
export interface BuiltFrame {
  readonly bytes: Uint8Array;
  readonly ids: readonly Identified[];
}

/** Puts a request together. Its ids still hold markers, unless it was raw. */
export const buildRequest = (
  draft: RequestDraft,
  facts: HeaderFacts,
  line: Line,
  { session }: FrameReading,
): BuiltFrame => {
  if (draft.kind === 'raw') {
    const { bytes } = draft.frame;
    const places = requestPlaces(operationOf(opcodeOf(bytes)), bytes, session);
    return { bytes, ids: identifiedRaw(draft.frame, places, line) };
  }
  const { op, nodeid, fields, references } = draft;
  const len = lengthTold(fields);
  const header = { ...facts, nodeid, ...(len === undefined ? {} : { len }) };
  const extensions = extensionsIn(fields, line);
  const bytes = encodeRequest({ name: op.name, header, fields, extensions }, session);
  return { bytes, ids: located(bytes, requestPlaces(op, bytes, session), references, line) };
};
