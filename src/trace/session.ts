/** What INIT settled at each point of a trace, from the recorded handshake or from the INIT frames as they pass. */

import { decodeReply, decodeRequest } from '../protocol/decode.js';
import { errorOf, holdsReply, holdsRequest, opcodeOf, uniqueOf } from '../protocol/header.js';
import { type Negotiated, negotiatedFrom, newestNegotiated } from '../protocol/negotiated.js';
import { operationNamed } from '../protocol/operations.js';
import type { Direction } from './frame.js';

const init = operationNamed('INIT');

/** What an INIT request and its reply settle; `undefined` when the bytes are no such pair, or the server refused. */
export const negotiatedBy = (request: Uint8Array, reply: Uint8Array): Negotiated | undefined => {
  const asked = decodeRequest(request, newestNegotiated);
  const answered = decodeReply(reply, { op: init, fields: {} }, newestNegotiated);
  if (asked.kind !== 'request' || asked.name !== 'INIT') return undefined;
  if (answered.kind !== 'reply' || answered.name !== 'INIT' || !answered.ok) return undefined;
  return negotiatedFrom(asked.fields, answered.fields);
};

/** Follows the handshake; until one was seen, the newest minor without features. */
export class Session {
  #negotiated: Negotiated;
  #request: Uint8Array | undefined;

  constructor(negotiated: Negotiated = newestNegotiated) {
    this.#negotiated = negotiated;
  }

  /** How to decode now. */
  get negotiated(): Negotiated {
    return this.#negotiated;
  }

  /** Takes note of a frame; cheap for all but INIT. Keeps no reference to the bytes. */
  see(direction: Direction, bytes: Uint8Array): void {
    if (direction === 'toServer') {
      if (holdsRequest(bytes) && opcodeOf(bytes) === init.opcode) this.#request = bytes.slice();
      return;
    }
    const request = this.#request;
    if (request === undefined || !holdsReply(bytes) || uniqueOf(bytes) !== uniqueOf(request)) return;
    this.#request = undefined;
    if (errorOf(bytes) === 0) this.#negotiated = negotiatedBy(request, bytes) ?? this.#negotiated;
  }
}
