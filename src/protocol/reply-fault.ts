/**
 * What the real kernel would refuse in a reply: a wrong size or error number makes the server's write fail with EINVAL,
 * wrong contents make the caller see EIO. Facts: fuse_dev_do_write and copy_out_args in fs/fuse/dev.c, fuse_invalid_attr
 * and invalid_nodeid in fs/fuse/dir.c, parse_dirfile in fs/fuse/readdir.c.
 */

import { ROOT_ID } from '../base/ids.js';
import { type DecodedReply, decodeReply, type ReplyContext } from './decode.js';
import { valueAt } from './differences.js';
import { errorOf, lengthOf, OUT_HEADER_SIZE } from './header.js';
import type { Fields, Value } from './layout.js';
import type { Negotiated } from './negotiated.js';
import type { IdUse, ReplyRoom } from './operation.js';
import type { Operation } from './operations.js';
import type { SimplePart } from './parts.js';
import { sizeUnder } from './prefix.js';
import { partsOfForm, takesFirstForm } from './reply-shape.js';

/** Why a reply is refused. `refused`: the write fails and the request stays unanswered. `eio`: the caller gets EIO. */
export interface ReplyFault {
  readonly kind: 'refused' | 'eio';
  /** What is wrong, without a subject: `has 8 bytes of body, 16 wanted`. */
  readonly text: string;
}

/** Errors from here down are the kernel's own and may not cross the device (ERESTARTSYS). */
const FIRST_KERNEL_ERROR = -512;
/** FUSE_NAME_MAX. */
const LONGEST_NAME = 1024;
const LARGEST_SIZE = (1n << 63n) - 1n;
const S_IFMT = 0o170000;
const FILE_TYPES = [0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o120000, 0o140000];

const refused = (text: string): ReplyFault => ({ kind: 'refused', text });
const eio = (text: string): ReplyFault => ({ kind: 'eio', text });

const roomIn = (room: ReplyRoom | undefined, request: Fields): number => {
  if (room === undefined) return 0;
  if ('bytes' in room) return room.bytes;
  const asked = request[room.field];
  return Math.max(typeof asked === 'number' ? asked : 0, room.atLeast ?? 0);
};

const fixedSize = (parts: readonly SimplePart[], session: Negotiated): number =>
  parts.reduce((sum, part) => sum + (part.kind === 'struct' ? sizeUnder(part, session) : 0), 0);

const isOpen = (part: SimplePart): boolean => part.kind === 'struct' && part.open;

/** Least and most bytes of a good reply's body. */
const bodyLimits = (
  op: Operation,
  bytes: Uint8Array,
  context: ReplyContext,
  session: Negotiated,
): { least: number; most: number } => {
  const parts = partsOfForm(op, takesFirstForm(op, bytes, context));
  const last = parts.at(-1);
  if (last !== undefined && isOpen(last))
    return { least: 0, most: last.kind === 'struct' ? last.layout.size : 0 };
  const least = fixedSize(parts, session);
  const variable = last !== undefined && last.kind !== 'struct';
  return { least, most: least + (variable ? roomIn(op.replyRoom, context.fields) : 0) };
};

const sizeFault = (bytes: Uint8Array, context: ReplyContext, session: Negotiated): ReplyFault | undefined => {
  const error = errorOf(bytes);
  const body = bytes.length - OUT_HEADER_SIZE;
  if (body < 0) return refused(`has ${bytes.length} bytes, a header has ${OUT_HEADER_SIZE}`);
  if (lengthOf(bytes) !== bytes.length)
    return refused(`says ${lengthOf(bytes)} bytes in its header, has ${bytes.length}`);
  if (error > 0 || error <= FIRST_KERNEL_ERROR) return refused(`has error ${error}`);
  if (error !== 0) return body === 0 ? undefined : refused(`has an error and ${body} bytes of body`);
  if (context.op === undefined) return undefined;
  const { least, most } = bodyLimits(context.op, bytes, context, session);
  if (body >= least && body <= most) return undefined;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  return refused(`has ${body} bytes of body, ${wanted} wanted`);
};

const attrFault = (attr: Value): ReplyFault | undefined => {
  if (typeof attr !== 'object' || attr instanceof Uint8Array || Array.isArray(attr)) return undefined;
  const { mode, size } = attr as Fields;
  if (typeof mode === 'number' && !FILE_TYPES.includes(mode & S_IFMT))
    return eio(`has mode 0${mode.toString(8)}, which is no file type`);
  return typeof size === 'bigint' && size > LARGEST_SIZE ? eio(`has size ${size}`) : undefined;
};

const nodeFault = (use: IdUse, fields: Fields): ReplyFault | undefined => {
  if (use.required !== true) return undefined;
  const value = valueAt(fields, use.field);
  return value === use.none || value === ROOT_ID ? eio(`gives nodeid ${value} to a new node`) : undefined;
};

const nameFault = (entry: Value): ReplyFault | undefined => {
  const { name } = entry as Fields;
  if (typeof name !== 'string') return undefined;
  const bad = name === '' || name.includes('/') || Buffer.byteLength(name) > LONGEST_NAME;
  return bad ? eio(`has the name ${JSON.stringify(name)} in a directory`) : undefined;
};

const contentFault = (reply: DecodedReply): ReplyFault | undefined => {
  const fields: Fields = reply.fields;
  const { entries, attr, nodeid } = fields;
  const negative = nodeid === 0n;
  const faults = [
    ...(reply.op?.ids ?? []).map((use) => (use.side === 'reply' ? nodeFault(use, fields) : undefined)),
    // Nothing is looked at behind the nodeid of a negative entry.
    negative ? undefined : attrFault(attr),
    ...(Array.isArray(entries) ? entries : []).map(nameFault),
  ];
  return faults.find((fault) => fault !== undefined);
};

/** What is wrong with a reply; `undefined` when the kernel would take it. INTERRUPT's reply may only be an error. */
export const replyFault = (
  bytes: Uint8Array,
  context: ReplyContext,
  negotiated: Negotiated,
): ReplyFault | undefined => {
  const wrongSize = sizeFault(bytes, context, negotiated);
  if (wrongSize !== undefined) return wrongSize;
  const decoded = decodeReply(bytes, context, negotiated);
  // A directory that ends within a record: the kernel stops before it, without a word.
  if (decoded.kind === 'decodeError') return undefined;
  return decoded.ok ? contentFault(decoded) : undefined;
};
