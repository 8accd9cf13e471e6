/** Context records to and from their protobuf messages. Cold: a few records a session go through here. */

import type {
  EndFacts,
  InitFacts,
  MapsFacts,
  MemoryRange,
  MountFacts,
  PayloadMode,
  StartFacts,
  TraceHeader,
  Waiting,
} from './context.js';
import { relight } from './generated/schema.js';
import { countFromLong, countToLong, fromLong, toBytes, toLong, toText } from './wire-values.js';

const schema = relight.trace;

const byteOrders = ['unknown', 'little', 'big'] as const;
const randomisations = ['unknown', 'on', 'off'] as const;
const permissionLetters = ['r', 'w', 'x'] as const;
const SHARED = 8;
const PAYLOAD_FIRST = 2;

const payloadNumber = { full: 0, none: 1, first: PAYLOAD_FIRST, hash: 3 } as const;

const payloadOf = (mode: number, bytes: number): PayloadMode => {
  if (mode === PAYLOAD_FIRST) return { kind: 'first', bytes };
  return { kind: mode === 1 ? 'none' : mode === 3 ? 'hash' : 'full' };
};

const encodeWaiting = (waiting: Waiting): relight.trace.Waiting.$Properties => ({
  unique: toLong(waiting.unique),
  opcode: waiting.opcode,
  nodeid: toLong(waiting.nodeid),
  seq: countToLong(waiting.seq),
  timeNs: toLong(waiting.timeNs),
});

const decodeWaiting = (message: relight.trace.Waiting.$Properties): Waiting => ({
  unique: fromLong(message.unique),
  opcode: message.opcode ?? 0,
  nodeid: fromLong(message.nodeid),
  seq: countFromLong(message.seq),
  timeNs: fromLong(message.timeNs),
});

/** Body of a Header record. */
export const encodeHeader = (header: TraceHeader): Uint8Array =>
  schema.Header.encode({
    formatVersion: header.formatVersion,
    relightVersion: header.relightVersion,
    traceId: header.traceId,
    part: header.part,
    firstSeq: countToLong(header.firstSeq),
    startTimeNs: toLong(header.startTimeNs),
    kernelRelease: header.kernelRelease,
    arch: header.arch,
    pageSize: header.pageSize,
    byteOrder: byteOrders.indexOf(header.byteOrder),
    argv: header.argv.map(toBytes),
    cwd: toBytes(header.cwd),
    environment: header.environment.map(({ name, value }) => ({
      name: toBytes(name),
      value: toBytes(value),
    })),
    payloadMode: payloadNumber[header.payload.kind],
    payloadBytes: header.payload.kind === 'first' ? header.payload.bytes : 0,
    filter: header.filter,
    redacted: header.redacted,
    waiting: header.waiting.map(encodeWaiting),
  }).finish();

/** The header; throws the generated decoder's error when the bytes are no such message. */
export const decodeHeader = (bytes: Uint8Array): TraceHeader => {
  const message = schema.Header.decode(bytes);
  return {
    formatVersion: message.formatVersion,
    relightVersion: message.relightVersion,
    traceId: message.traceId,
    part: message.part,
    firstSeq: countFromLong(message.firstSeq),
    startTimeNs: fromLong(message.startTimeNs),
    kernelRelease: message.kernelRelease,
    arch: message.arch,
    pageSize: message.pageSize,
    byteOrder: byteOrders[message.byteOrder] ?? 'unknown',
    argv: message.argv.map(toText),
    cwd: toText(message.cwd),
    environment: message.environment.map(({ name, value }) => ({ name: toText(name), value: toText(value) })),
    payload: payloadOf(message.payloadMode, message.payloadBytes),
    filter: message.filter,
    redacted: message.redacted,
    waiting: message.waiting.map(decodeWaiting),
  };
};

/** Body of a Mount record. */
export const encodeMount = (mount: MountFacts): Uint8Array =>
  schema.Mount.encode({
    timeNs: toLong(mount.timeNs),
    point: toBytes(mount.point),
    fstype: toBytes(mount.fstype),
    source: toBytes(mount.source),
    flags: toLong(mount.flags),
    options: toBytes(mount.options),
  }).finish();

/** A mount; throws when the bytes are no such message. */
export const decodeMount = (bytes: Uint8Array): MountFacts => {
  const message = schema.Mount.decode(bytes);
  return {
    timeNs: fromLong(message.timeNs),
    point: toText(message.point),
    fstype: toText(message.fstype),
    source: toText(message.source),
    flags: fromLong(message.flags),
    options: toText(message.options),
  };
};

/** A start and where it stands among the frames. */
export type RecordedStart = StartFacts & { readonly firstSeq: number };

/** Body of an IncarnationStart record. */
export const encodeStart = (start: RecordedStart): Uint8Array =>
  schema.IncarnationStart.encode({
    incarnation: start.incarnation,
    timeNs: toLong(start.timeNs),
    pid: start.pid,
    aslr: randomisations.indexOf(start.aslr),
    firstSeq: countToLong(start.firstSeq),
  }).finish();

/** A start; throws when the bytes are no such message. */
export const decodeStart = (bytes: Uint8Array): RecordedStart => {
  const message = schema.IncarnationStart.decode(bytes);
  return {
    incarnation: message.incarnation,
    timeNs: fromLong(message.timeNs),
    pid: message.pid,
    aslr: randomisations[message.aslr] ?? 'unknown',
    firstSeq: countFromLong(message.firstSeq),
  };
};

/** Body of an Init record. */
export const encodeInit = (init: InitFacts): Uint8Array =>
  schema.Init.encode({
    incarnation: init.incarnation,
    timeNs: toLong(init.timeNs),
    offered: init.offered,
    sent: init.sent,
    reply: init.reply,
    written: init.written,
    changes: init.changes.map(({ text, bits }) => ({ text, bits: toLong(bits) })),
  }).finish();

/** A handshake; throws when the bytes are no such message. */
export const decodeInit = (bytes: Uint8Array): InitFacts => {
  const message = schema.Init.decode(bytes);
  return {
    incarnation: message.incarnation,
    timeNs: fromLong(message.timeNs),
    offered: message.offered,
    sent: message.sent,
    reply: message.reply,
    written: message.written,
    changes: message.changes.map(({ text, bits }) => ({ text: text ?? '', bits: fromLong(bits) })),
  };
};

const permissionBits = (permissions: string): number =>
  permissionLetters.reduce((bits, letter, i) => bits | (permissions[i] === letter ? 1 << i : 0), 0) |
  (permissions[3] === 's' ? SHARED : 0);

const permissionText = (bits: number): string =>
  permissionLetters.map((letter, i) => (bits & (1 << i) ? letter : '-')).join('') +
  (bits & SHARED ? 's' : 'p');

const decodeRange = (range: relight.trace.Range.$Properties): MemoryRange => ({
  start: fromLong(range.start),
  end: fromLong(range.end),
  permissions: permissionText(range.permissions ?? 0),
  offset: fromLong(range.offset),
  path: toText(range.path),
});

/** Body of a Maps record. */
export const encodeMaps = (maps: MapsFacts): Uint8Array =>
  schema.Maps.encode({
    incarnation: maps.incarnation,
    timeNs: toLong(maps.timeNs),
    ranges: maps.ranges.map((range) => ({
      start: toLong(range.start),
      end: toLong(range.end),
      permissions: permissionBits(range.permissions),
      offset: toLong(range.offset),
      path: toBytes(range.path),
    })),
  }).finish();

/** Maps; throws when the bytes are no such message. */
export const decodeMaps = (bytes: Uint8Array): MapsFacts => {
  const message = schema.Maps.decode(bytes);
  return {
    incarnation: message.incarnation,
    timeNs: fromLong(message.timeNs),
    ranges: message.ranges.map(decodeRange),
  };
};

/** An end, with what the writer adds. */
export type RecordedEnd = EndFacts & { readonly inFlight: readonly Waiting[]; readonly nextSeq: number };

/** Body of an IncarnationEnd record. */
export const encodeEnd = (end: RecordedEnd): Uint8Array =>
  schema.IncarnationEnd.encode({
    incarnation: end.incarnation,
    timeNs: toLong(end.timeNs),
    exitCode: end.exitCode ?? null,
    signal: end.signal ?? null,
    stderr: end.stderr.map(toBytes),
    inFlight: end.inFlight.map(encodeWaiting),
    nextSeq: countToLong(end.nextSeq),
  }).finish();

/** An end; throws when the bytes are no such message. */
export const decodeEnd = (bytes: Uint8Array): RecordedEnd => {
  const message = schema.IncarnationEnd.decode(bytes);
  return {
    incarnation: message.incarnation,
    timeNs: fromLong(message.timeNs),
    ...(message.exitCode == null ? {} : { exitCode: message.exitCode }),
    ...(message.signal == null ? {} : { signal: message.signal }),
    stderr: message.stderr.map(toText),
    inFlight: message.inFlight.map(decodeWaiting),
    nextSeq: countFromLong(message.nextSeq),
  };
};
