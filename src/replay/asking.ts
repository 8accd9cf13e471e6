/**
 * Questions to a server past the virtual kernel, several of them in flight: gives each a unique of its own, and finds the
 * question of a reply. It sends nothing itself.
 */

import { UNIQUE_AT } from '../protocol/header.js';

/** High word of the uniques of questions; the virtual kernel's own never get there. */
const ASIDE = 0x0010_0000;

/** How questions are asked. */
export interface AskOptions {
  /** In flight at once at most; 1 where the order in which the server handles them matters. */
  readonly depth?: number;
  /** Silence that ends the asking; the driver's limit for a reply by default. */
  readonly timeoutMs?: number;
}

/** Many enough to hide the way there and back, few enough to fit into any socket buffer. */
const DEPTH = 64;

/** Whether a message from the server answers a question, of this asking or of an earlier one that nobody waits for. */
export const isAside = (message: Uint8Array): boolean =>
  message.length >= UNIQUE_AT + 8 && (message[UNIQUE_AT + 6] ?? 0) === ASIDE >>> 16;

/** `number` is even and below 2^32. */
const mark = (request: Uint8Array, number: number): void => {
  const view = new DataView(request.buffer, request.byteOffset);
  view.setUint32(UNIQUE_AT, number, true);
  view.setUint32(UNIQUE_AT + 4, ASIDE, true);
};

/** One round of questions. */
export class Asking {
  readonly #requests: readonly Uint8Array[];
  readonly #replies: (Uint8Array | undefined)[] = [];
  readonly #depth: number;
  readonly #first: number;
  #sent = 0;
  #answered = 0;

  /** `first` is the number of the first question; those that follow count up by 2. */
  constructor(requests: readonly Uint8Array[], first: number, depth = DEPTH) {
    this.#requests = requests;
    this.#first = first;
    this.#depth = depth;
  }

  /** True when every question was answered. */
  get isDone(): boolean {
    return this.#answered === this.#requests.length;
  }

  /** The next question that may be sent now, its unique in it; `undefined` when there is none. */
  next(): Uint8Array | undefined {
    if (this.#sent - this.#answered >= this.#depth) return undefined;
    const request = this.#requests[this.#sent];
    if (request === undefined) return undefined;
    mark(request, this.#first + 2 * this.#sent);
    this.#sent++;
    return request;
  }

  /** Keeps a copy of a reply; false when it answers an earlier asking or a question that was answered. */
  take(reply: Uint8Array): boolean {
    const number = new DataView(reply.buffer, reply.byteOffset).getUint32(UNIQUE_AT, true);
    const index = (number - this.#first) / 2;
    if (!(index in this.#requests) || index >= this.#sent || this.#replies[index] !== undefined) return false;
    this.#replies[index] = reply.slice();
    this.#answered++;
    return true;
  }

  /** The replies in the order of the questions; `otherwise` for those without one. */
  answers<T>(otherwise: T): (Uint8Array | T)[] {
    return this.#requests.map((_, index) => this.#replies[index] ?? otherwise);
  }
}
