/**
 * Where the names and the user's data are in a frame, from the `content` of the parts: for recorders that drop or hash
 * payload and for redaction, which keep every length and so must know every place.
 */

import type { ReplyContext } from './decode.js';
import { errorOf } from './header.js';
import { fieldAt, type Struct } from './layout.js';
import type { Negotiated } from './negotiated.js';
import type { Notification } from './notifications.js';
import type { Operation } from './operations.js';
import { type Content, recordSize, type SimplePart } from './parts.js';
import { sizeUnder } from './prefix.js';
import { u32At } from './raw.js';
import { partsOfForm, takesFirstForm } from './reply-shape.js';
import { inHeader, outHeader } from './structs.js';

/** Bytes `start` up to `end` of a frame that mean `content`; terminating NULs and padding are outside. */
export interface ContentSite {
  readonly field: string;
  readonly content: Content;
  readonly start: number;
  readonly end: number;
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly session: Negotiated;
  readonly sites: ContentSite[];
  at: number;
  /** The struct read last and where it is: counts are its fields. */
  last: { readonly layout: Struct; readonly at: number } | undefined;
}

const countOf = ({ bytes, last }: Walk, field: string): number => {
  const found = last === undefined ? undefined : fieldAt(last.layout, field);
  return last === undefined || found === undefined ? 0 : u32At(bytes, last.at + found.offset);
};

const add = (walk: Walk, part: { field: string; content: Content }, size: number): void => {
  const end = Math.min(walk.at + size, walk.bytes.length);
  walk.sites.push({ field: part.field, content: part.content, start: walk.at, end });
  walk.at = end;
};

const untilNul = ({ bytes, at }: Walk): number => {
  const nul = bytes.indexOf(0, at);
  return (nul < 0 ? bytes.length : nul) - at;
};

const restOf = ({ bytes, at }: Walk): number => Math.max(0, bytes.length - at);

const walkRecords = (walk: Walk, field: string, of: Struct): void => {
  const namelenAt = fieldAt(of, 'namelen')?.offset ?? 0;
  while (walk.at + of.size <= walk.bytes.length) {
    const size = u32At(walk.bytes, walk.at + namelenAt);
    const next = walk.at + recordSize(of.size + size);
    walk.at += of.size;
    add(walk, { field: `${field}.name`, content: 'name' }, size);
    walk.at = next;
  }
};

const walkPart = (walk: Walk, part: SimplePart): void => {
  if (part.kind === 'struct') {
    walk.last = { layout: part.layout, at: walk.at };
    walk.at += part.open ? Math.min(part.layout.size, restOf(walk)) : sizeUnder(part, walk.session);
  } else if (part.kind === 'name') {
    add(walk, part, part.length === undefined ? untilNul(walk) : countOf(walk, part.length));
    walk.at += 1;
  } else if (part.kind === 'text') add(walk, part, restOf(walk));
  else if (part.kind === 'bytes')
    add(walk, part, part.length === undefined ? restOf(walk) : countOf(walk, part.length));
  else if (part.kind === 'records') walkRecords(walk, part.field, part.of);
};

const sitesIn = (
  bytes: Uint8Array,
  parts: readonly SimplePart[],
  start: number,
  session: Negotiated,
): ContentSite[] => {
  const walk: Walk = { bytes, session, sites: [], at: start, last: undefined };
  for (const part of parts) walkPart(walk, part);
  return walk.sites.filter(({ start, end }) => start < end);
};

const isSimple = (part: { kind: string }): part is SimplePart => part.kind !== 'choice';

/** Names and data of a request. Extensions are not looked into. */
export const requestContent = (bytes: Uint8Array, op: Operation, session: Negotiated): ContentSite[] =>
  sitesIn(bytes, op.request.filter(isSimple), inHeader.size, session);

/** Names and data of a reply; none in an error or when the request is unknown. */
export const replyContent = (
  bytes: Uint8Array,
  context: ReplyContext,
  session: Negotiated,
): ContentSite[] => {
  const { op } = context;
  if (op === undefined || errorOf(bytes) !== 0) return [];
  const parts = partsOfForm(op, takesFirstForm(op, bytes, context));
  return sitesIn(bytes, parts, outHeader.size, session);
};

/** Names and data of a notification. */
export const notificationContent = (
  bytes: Uint8Array,
  op: Notification,
  session: Negotiated,
): ContentSite[] => sitesIn(bytes, op.body.filter(isSimple), outHeader.size, session);
