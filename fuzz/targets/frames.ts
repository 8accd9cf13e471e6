/**
 * Messages of either side under any session: they decode to a value or a DecodeError, what decodes encodes back to the same
 * bytes and prints, and ids and contents are found within the frame.
 */

import { notificationContent, replyContent, requestContent } from '#relight/protocol/content-sites.js';
import {
  type DecodeError,
  decodeNotification,
  decodeReply,
  decodeRequest,
} from '#relight/protocol/decode.js';
import { encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { isNotification } from '#relight/protocol/header.js';
import { idSites, notificationIdMap, replyIdMap, requestIdMap } from '#relight/protocol/id-sites.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';
import { decodeErrorText, notificationText, replyText, requestText } from '#relight/protocol/print.js';
import { replyContext } from '#relight/protocol/reply-context.js';
import { Bytes } from './bytes.js';
import { claim, sameBytes } from './expecting.js';

const sessions: readonly [Negotiated, ...Negotiated[]] = [
  newestNegotiated,
  ...[3, 4, 8, 11, 12, 22, 35].map((minor) => ({ ...newestNegotiated, minor })),
  { ...newestNegotiated, flags: InitFlag.SETXATTR_EXT },
  { ...newestNegotiated, minor: 37, flags: InitFlag.SECURITY_CTX },
];

const within = (
  bytes: Uint8Array,
  sites: readonly { readonly start: number; readonly end: number }[],
): void => {
  for (const { start, end } of sites)
    claim(start >= 0 && start <= end && end <= bytes.length, 'contents lie within the frame');
};

const idsWithin = (bytes: Uint8Array, sites: readonly { readonly offset: number }[]): void => {
  for (const { offset } of sites)
    claim(offset >= 0 && offset + 8 <= bytes.length, 'ids lie within the frame');
};

const refused = (bytes: Uint8Array, error: DecodeError): void => {
  decodeErrorText(error);
  claim(error.offset >= 0 && error.offset <= bytes.length, 'an error is within the frame');
};

const request = (bytes: Uint8Array, session: Negotiated): void => {
  const decoded = decodeRequest(bytes, session);
  if (decoded.kind === 'decodeError') return refused(bytes, decoded);
  requestText(decoded);
  claim(sameBytes(encodeRequest(decoded, session), bytes), 'a request encodes back');
  if (decoded.op === undefined) return;
  idsWithin(bytes, idSites(requestIdMap(decoded.op, session), bytes));
  within(bytes, requestContent(bytes, decoded.op, session));
};

const reply = (bytes: Uint8Array, asked: Uint8Array, session: Negotiated): void => {
  const context = replyContext(asked, session);
  const decoded = decodeReply(bytes, context, session);
  if (decoded.kind === 'decodeError') return refused(bytes, decoded);
  replyText(decoded);
  claim(sameBytes(encodeReply(decoded, context, session), bytes), 'a reply encodes back');
  if (decoded.op === undefined) return;
  idsWithin(bytes, idSites(replyIdMap(decoded.op, session), bytes));
  within(bytes, replyContent(bytes, context, session));
};

const notification = (bytes: Uint8Array, session: Negotiated): void => {
  const decoded = decodeNotification(bytes, session);
  // With a unique it is a reply, and not read as this.
  if (!isNotification(bytes)) return;
  if (decoded.kind === 'decodeError') return refused(bytes, decoded);
  notificationText(decoded);
  claim(sameBytes(encodeNotification(decoded, session), bytes), 'a notification encodes back');
  if (decoded.op === undefined) return;
  idsWithin(bytes, idSites(notificationIdMap(decoded.op, session), bytes));
  within(bytes, notificationContent(bytes, decoded.op, session));
};

/** Session, kind of message, for a reply the request, then the message. */
export const fuzz = async (input: Uint8Array): Promise<void> => {
  const from = new Bytes(input);
  const session = from.oneOf(sessions);
  const kind = from.oneOf(['request', 'reply', 'notification']);
  if (kind === 'request') request(from.take(), session);
  else if (kind === 'notification') notification(from.take(), session);
  else {
    const asked = from.piece();
    reply(from.take(), asked, session);
  }
};
