/** A decoded frame as a JSON object: a line of `relight show --json`. */

import { errnoName } from '../base/errno.js';
import type { Extension } from '../protocol/extensions.js';
import { type Json, jsonFields } from '../protocol/json-view.js';
import { decodeErrorText } from '../protocol/print.js';
import type { DecodedFrame } from '../trace/decoded-frames.js';

/** The object. u64 are decimal strings, bytes base64. */
export interface FrameJson {
  readonly seq: number;
  /** Nanoseconds since 1970. */
  readonly timeNs: string;
  readonly direction: 'toServer' | 'toKernel';
  readonly incarnation: number;
  /** Also of a reply: the operation that it answers; null when that is not known. */
  readonly op: string | null;
  readonly unique: string | null;
  readonly nodeid: string | null;
  /** Positive errno of a reply, 0 for success; null for what is no reply. */
  readonly error: number | null;
  readonly errorName?: string;
  /** Bytes on the wire. */
  readonly length: number;
  /** Bytes that are not in the trace. */
  readonly cut?: number;
  readonly latencyNs?: number;
  readonly request?: Json;
  readonly reply?: Json;
  readonly notification?: Json;
  /** Why the frame cannot be decoded. */
  readonly decodeError?: string;
}

const text = (id: bigint | undefined): string | null => (id === undefined ? null : id.toString());

const extensionJson = (extension: Extension): Json => {
  if (extension.kind === 'groups') return { kind: 'groups', groups: extension.groups };
  if (extension.kind === 'unknown') return { kind: 'unknown', type: extension.type };
  return { kind: 'security', contexts: extension.contexts.map(({ name }) => name) };
};

const messageJson = ({ message }: DecodedFrame): Partial<FrameJson> => {
  if (message.kind === 'decodeError') return { decodeError: decodeErrorText(message) };
  const fields = jsonFields(message.fields);
  if (message.kind !== 'request') return { [message.kind]: fields };
  const { extensions, header } = message;
  const caller = { uid: header.uid, gid: header.gid, pid: header.pid };
  const extra = extensions.length === 0 ? {} : { extensions: extensions.map(extensionJson) };
  return { request: { ...fields, caller, ...extra } };
};

/** The object of one frame. */
export const frameJson = (decoded: DecodedFrame): FrameJson => {
  const { frame, op, unique, nodeid, error, latencyNs } = decoded;
  const cut = frame.length - frame.bytes.length;
  return {
    seq: frame.seq,
    timeNs: frame.timeNs.toString(),
    direction: frame.direction,
    incarnation: frame.incarnation,
    op: op ?? null,
    unique: text(unique),
    nodeid: text(nodeid),
    // Not the -0 that a negated 0 is.
    error: error === undefined ? null : error + 0,
    ...(error === undefined || error === 0 ? {} : { errorName: errnoName(error) }),
    length: frame.length,
    ...(cut > 0 ? { cut } : {}),
    ...(latencyNs === undefined ? {} : { latencyNs: Number(latencyNs) }),
    ...messageJson(decoded),
  };
};
