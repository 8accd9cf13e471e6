/** The handshake of a recording: the INIT that a replay begins with, and the session under which frames are read. */

import { decodeReply, decodeRequest } from '../protocol/decode.js';
import { type Negotiated, negotiatedFrom, newestNegotiated } from '../protocol/negotiated.js';
import { replyContext } from '../protocol/reply-context.js';
import type { InitFacts } from '../trace/context.js';

/** INIT and its answer, whole frames, as server and kernel got them. */
export interface Handshake {
  readonly init: Uint8Array | undefined;
  readonly initReply: Uint8Array | undefined;
}

/** What the recorder wrote down of the handshake. */
export const handshakeOf = (facts: InitFacts): Handshake => ({
  init: facts.sent.length > 0 ? facts.sent : facts.offered,
  // The kernel's requests follow what it was told, which may be less than the server said.
  initReply: facts.written.length > 0 ? facts.written : facts.reply,
});

/** The session that a handshake settled; `undefined` when it failed or its frames cannot be read. */
export const sessionOf = ({ init, initReply }: Handshake): Negotiated | undefined => {
  if (init === undefined || initReply === undefined) return undefined;
  const request = decodeRequest(init, newestNegotiated);
  const reply = decodeReply(initReply, replyContext(init, newestNegotiated), newestNegotiated);
  if (request.kind !== 'request' || request.name !== 'INIT') return undefined;
  if (reply.kind !== 'reply' || reply.name !== 'INIT' || !reply.ok) return undefined;
  return negotiatedFrom(request.fields, reply.fields);
};
