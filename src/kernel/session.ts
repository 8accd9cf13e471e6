/** What INIT settled between the kernel and its server, and what a restarted server says to it. */

import { Errno } from '../base/errno.js';
import { type Negotiated, newestNegotiated } from '../protocol/negotiated.js';
import type { Connected, Disconnected } from './conversation.js';
import { acceptInit, type InitOffer } from './negotiation.js';
import { byDevice, type Refusal } from './refusal.js';
import { type Shape, shapesOf } from './shape.js';

/** One connection; its settled values are those of the first server, whatever later ones answer. */
export class Session {
  #negotiated: Negotiated;
  #shapes: ReadonlyMap<number, Shape>;
  #connected: boolean;

  constructor(negotiated: Negotiated | undefined) {
    this.#connected = negotiated !== undefined;
    this.#negotiated = negotiated ?? newestNegotiated;
    this.#shapes = shapesOf(this.#negotiated);
  }

  /** The settled values; those of the newest minor without features before INIT. */
  get negotiated(): Negotiated {
    return this.#negotiated;
  }

  /** Whether INIT was answered. */
  get isConnected(): boolean {
    return this.#connected;
  }

  /** Shape of an opcode; `undefined` for one that the tables do not know. */
  shape(opcode: number): Shape | undefined {
    return this.#shapes.get(opcode);
  }

  /** Takes the answer to INIT; `refused` is what the device had against it. */
  accept(
    request: Uint8Array,
    reply: Uint8Array,
    offer: InitOffer,
    refused?: Refusal,
  ): Connected | Disconnected {
    const outcome = refused === undefined ? acceptInit(request, reply, offer) : undefined;
    if (outcome?.kind !== 'accepted') {
      const refusal = outcome?.refusal ?? refused ?? byDevice('init');
      return { kind: 'disconnected', refusal, errno: outcome?.errno ?? Errno.EIO };
    }
    const { negotiated } = outcome;
    const differs = this.#connected ? differences(this.#negotiated, negotiated) : [];
    if (!this.#connected) {
      this.#negotiated = negotiated;
      this.#shapes = shapesOf(negotiated);
      this.#connected = true;
    }
    return { kind: 'connected', negotiated, differs };
  }
}

const differences = (before: Negotiated, now: Negotiated): (keyof Negotiated)[] =>
  (Object.keys(before) as (keyof Negotiated)[]).filter((key) => before[key] !== now[key]);
