/**
 * The fields that a filter may name, and their values in a decoded frame. A value can be missing for good, or be one that
 * only the reply will bring.
 */

import type { Fields, Struct, Value } from '../protocol/layout.js';
import { notifications } from '../protocol/notifications.js';
import { type Operation, operations } from '../protocol/operations.js';
import type { Part } from '../protocol/parts.js';
import { inHeader } from '../protocol/structs.js';
import type { DecodedFrame } from './decoded-frames.js';

/** Values of a field in a frame; more than one when a path leads through a list. */
export interface FieldValues {
  readonly values: readonly Exclude<Value, undefined>[];
  /** True on a request whose reply may have the field. */
  readonly isPending: boolean;
}

/** What a frame has of itself. */
const ownFields = {
  op: ({ op }) => op,
  error: ({ error }) => error,
  latency: ({ latencyNs }) => latencyNs,
  nodeid: ({ nodeid }) => nodeid,
  unique: ({ unique }) => unique,
  direction: ({ frame }) => frame.direction,
  kind: ({ kind }) => kind,
  incarnation: ({ frame }) => frame.incarnation,
  seq: ({ frame }) => frame.seq,
  length: ({ frame }) => frame.length,
  timeNs: ({ frame }) => frame.timeNs,
  resent: ({ isResend }) => Number(isResend),
  cut: ({ frame }) => frame.length - frame.bytes.length,
  undecoded: ({ message }) => Number(message.kind === 'decodeError'),
} as const satisfies Readonly<Record<string, (frame: DecodedFrame) => Value>>;

/** Fields that only a reply has. */
const ofReplies: ReadonlySet<string> = new Set(['error', 'latency']);

/** Names of the fields that need no layout. */
export const ownFieldNames: readonly string[] = [...Object.keys(ownFields), 'time'];

const isOwn = (name: string): name is keyof typeof ownFields => Object.hasOwn(ownFields, name);

const namesOfStruct = (layout: Struct): string[] =>
  Object.entries(layout.fields).flatMap(([name, spec]) =>
    typeof spec === 'object' && spec.kind === 'struct' ? [name, ...namesOfStruct(spec)] : [name],
  );

const namesOfPart = (part: Part): string[] => {
  if (part.kind === 'choice') return [...part.then, ...part.otherwise].flatMap(namesOfPart);
  if (part.kind === 'struct') return namesOfStruct(part.layout);
  if (part.kind === 'list') return [part.field, ...namesOfStruct(part.of)];
  return part.kind === 'records' ? [part.field, 'name', ...namesOfStruct(part.of)] : [part.field];
};

const headerNames: readonly string[] = Object.keys(inHeader.fields);

/** Every name that stands in some layout of the protocol. */
const layoutNames: ReadonlySet<string> = new Set([
  ...headerNames,
  'body',
  ...operations.flatMap((op) => [...op.request, ...(op.reply ?? [])].flatMap(namesOfPart)),
  ...notifications.flatMap((notification) => notification.body.flatMap(namesOfPart)),
]);

/** Names that a path may begin with to say where its field is. */
const places: ReadonlySet<string> = new Set(['request', 'reply', 'header']);

/** The first segment of a dotted path that names nothing; `undefined` when all do. */
export const unknownSegment = (path: string): string | undefined => {
  if (ownFieldNames.includes(path)) return undefined;
  const segments = path.split('.');
  if (segments.length > 1 && places.has(segments[0] ?? '')) segments.shift();
  return segments.find((segment) => !layoutNames.has(segment));
};

/** Names near a wrong one, for a hint. */
export const candidates: readonly string[] = [...ownFieldNames, ...layoutNames];

const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

const valuesAt = (value: Value, segments: readonly string[]): Exclude<Value, undefined>[] => {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, segments));
  const [first, ...rest] = segments;
  if (first === undefined) return [value];
  return isFields(value) && Object.hasOwn(value, first) ? valuesAt(value[first], rest) : [];
};

const replyHas = (op: Operation | undefined, name: string): boolean =>
  (op?.reply ?? []).flatMap(namesOfPart).includes(name);

const isOwed = ({ kind, request }: DecodedFrame): boolean =>
  kind === 'request' && request?.op?.replyRule !== 'never';

const found = (values: FieldValues['values'], isPending = false): FieldValues => ({ values, isPending });

const inMessage = (message: DecodedFrame['message'], segments: readonly string[]) =>
  'fields' in message ? valuesAt(message.fields, segments) : [];

const ofRequest = (frame: DecodedFrame, segments: readonly string[]): FieldValues['values'] => {
  const message = frame.requestMessage();
  return message === undefined ? [] : inMessage(message, segments);
};

const ofReply = (frame: DecodedFrame, segments: readonly string[]): FieldValues => {
  if (frame.kind === 'request') return found([], isOwed(frame));
  return found(inMessage(frame.message, segments));
};

const ofHeader = (frame: DecodedFrame, segments: readonly string[]): FieldValues => {
  const header = frame.requestMessage()?.header ?? frame.message.header;
  return found(header === undefined ? [] : valuesAt(header, segments));
};

/** Without a place: in the frame's own message, else in its request, else in the header. */
const anywhere = (frame: DecodedFrame, segments: readonly string[]): FieldValues => {
  const own = inMessage(frame.message, segments);
  if (own.length > 0) return found(own);
  const asked = ofRequest(frame, segments);
  if (asked.length > 0) return found(asked);
  const header = headerNames.includes(segments[0] ?? '') ? ofHeader(frame, segments).values : [];
  return found(header, isOwed(frame) && replyHas(frame.request?.op, segments[0] ?? ''));
};

/** Values of a field by its path. `startTimeNs` is what `time` counts from. */
export const fieldValues = (frame: DecodedFrame, path: string, startTimeNs: bigint): FieldValues => {
  if (path === 'time') return found([frame.frame.timeNs - startTimeNs]);
  if (isOwn(path)) {
    const value: Value = ownFields[path](frame);
    return value === undefined ? found([], ofReplies.has(path) && isOwed(frame)) : found([value]);
  }
  const segments = path.split('.');
  const [place, ...rest] = segments;
  if (rest.length === 0) return anywhere(frame, segments);
  if (place === 'request') return found(ofRequest(frame, rest));
  if (place === 'reply') return ofReply(frame, rest);
  return place === 'header' ? ofHeader(frame, rest) : anywhere(frame, segments);
};
