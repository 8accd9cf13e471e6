/**
 * Request extensions: what the kernel appends to requests that create a node. Records follow one another, each as long
 * as its header says, padding to 8 included. Facts: `fuse_ext_header`, `fuse_secctx_header`, `fuse_secctx`,
 * `fuse_supp_groups` (minors 36 and 38) and get_create_ext in fs/fuse/dir.c.
 */

import { bytesOf, textOf } from './byte-string.js';
import type { Problem } from './cursor.js';
import { extHeader, secctx } from './structs.js';

/** Types up to this are a count of security contexts (FUSE_MAX_NR_SECCTX). */
const MAX_SECCTX = 31;
/** FUSE_EXT_GROUPS. */
const GROUPS = 32;

/** One security context: `security.selinux` and its label, for example. `unused` is padding that survives. */
export interface SecurityContext {
  readonly name: string;
  readonly value: Uint8Array;
  readonly unused: number;
}

/** Security contexts for the new node. `tail` is the padding of the record. */
export interface SecurityExtension {
  readonly kind: 'security';
  readonly contexts: readonly SecurityContext[];
  readonly tail: Uint8Array;
}

/** Supplementary groups of the caller. `tail` is the padding of the record. */
export interface GroupsExtension {
  readonly kind: 'groups';
  readonly groups: readonly number[];
  readonly tail: Uint8Array;
}

/** An extension that 7.45 does not have: its type and all bytes after its header. */
export interface UnknownExtension {
  readonly kind: 'unknown';
  readonly type: number;
  readonly body: Uint8Array;
}

/** One record of a request's extensions. */
export type Extension = SecurityExtension | GroupsExtension | UnknownExtension;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const wrong = (offset: number, need: number, have: number): Problem => ({
  reason: 'extension',
  offset,
  need,
  have,
});

const isProblem = (value: object): value is Problem => 'reason' in value;

type ContextAt = { context: SecurityContext; next: number };

const contextAt = (bytes: Uint8Array, at: number): ContextAt | Problem => {
  const have = bytes.length - at;
  if (have < secctx.size) return wrong(at, secctx.size, have);
  const size = viewOf(bytes).getUint32(at, true);
  const unused = viewOf(bytes).getUint32(at + 4, true);
  const nameAt = at + secctx.size;
  const nul = bytes.indexOf(0, nameAt);
  if (nul < 0) return wrong(nameAt, have - secctx.size + 1, have - secctx.size);
  const next = nul + 1 + size;
  if (next > bytes.length) return wrong(nul + 1, size, bytes.length - nul - 1);
  const context = { name: textOf(bytes, nameAt, nul), value: bytes.subarray(nul + 1, next), unused };
  return { context, next };
};

/** `body` is the whole record, so that the offsets of problems count from its start. */
const securityIn = (record: Uint8Array, count: number): SecurityExtension | Problem => {
  const contexts: SecurityContext[] = [];
  let at = extHeader.size;
  for (let index = 0; index < count; index++) {
    const found = contextAt(record, at);
    if (isProblem(found)) return found;
    contexts.push(found.context);
    at = found.next;
  }
  return { kind: 'security', contexts, tail: record.subarray(at) };
};

const groupsIn = (record: Uint8Array): GroupsExtension | Problem => {
  const at = extHeader.size;
  const view = viewOf(record);
  const have = record.length - at;
  if (have < 4) return wrong(at, 4, have);
  const length = view.getUint32(at, true);
  const end = at + 4 + length * 4;
  if (end > record.length) return wrong(at, 4 + length * 4, have);
  const groups = Array.from({ length }, (_, index) => view.getUint32(at + 4 + index * 4, true));
  return { kind: 'groups', groups, tail: record.subarray(end) };
};

const extensionIn = (record: Uint8Array, type: number): Extension | Problem => {
  if (type <= MAX_SECCTX) return securityIn(record, type);
  return type === GROUPS
    ? groupsIn(record)
    : { kind: 'unknown', type, body: record.subarray(extHeader.size) };
};

/** Takes the bytes from `start` to `end` of a frame apart. Offsets of a problem count from the frame's start. */
export const decodeExtensions = (
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly Extension[] | Problem => {
  const found: Extension[] = [];
  const view = viewOf(bytes);
  for (let at = start; at < end; ) {
    const have = end - at;
    if (have < extHeader.size) return wrong(at, extHeader.size, have);
    const size = view.getUint32(at, true);
    if (size < extHeader.size || size > have) return wrong(at, Math.max(size, extHeader.size), have);
    const extension = extensionIn(bytes.subarray(at, at + size), view.getUint32(at + 4, true));
    if (isProblem(extension)) return { ...extension, offset: extension.offset + at };
    found.push(extension);
    at += size;
  }
  return found;
};

const record = (type: number, body: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(extHeader.size + body.length);
  viewOf(bytes).setUint32(0, bytes.length, true);
  viewOf(bytes).setUint32(4, type, true);
  bytes.set(body, extHeader.size);
  return bytes;
};

const contextBytes = ({ name, value, unused }: SecurityContext): Uint8Array => {
  const start = new Uint8Array(Uint32Array.of(value.length, unused).buffer);
  return Buffer.concat([start, bytesOf(name), Uint8Array.of(0), value]);
};

const encoded = (extension: Extension): Uint8Array => {
  if (extension.kind === 'unknown') return record(extension.type, extension.body);
  if (extension.kind === 'security') {
    const { contexts, tail } = extension;
    return record(contexts.length, Buffer.concat([...contexts.map(contextBytes), tail]));
  }
  const { groups, tail } = extension;
  const numbers = new Uint8Array(Uint32Array.of(groups.length, ...groups).buffer);
  return record(GROUPS, Buffer.concat([numbers, tail]));
};

/** The bytes of extensions one after the other. */
export const encodeExtensions = (extensions: readonly Extension[]): Uint8Array =>
  Buffer.concat(extensions.map(encoded));
