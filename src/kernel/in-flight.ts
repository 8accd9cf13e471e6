/** Requests that the server has and has not answered, by unique, and what becomes of them when it dies. */

import type { Shape } from './shape.js';

/** What came of a request that the kernel itself sent. */
export interface Answer {
  /** 0 or a positive errno: the server's, or EIO when the reply was refused. */
  readonly errno: number;
  /** The whole reply. */
  readonly reply: Uint8Array;
}

/** A request under way. */
export interface InFlight {
  /** Without marks: an even number from 2 upwards. */
  readonly unique: number;
  /** Absent for an opcode that the tables do not know. */
  readonly shape: Shape | undefined;
  /** The frame as it was sent; it must not be changed while it is under way, as it may be sent again. */
  readonly bytes: Uint8Array;
  /** Number that the driver gave it, to recognise the reply by. */
  readonly tag: number;
  /** Node that it holds; only where nodes are let go of automatically. */
  readonly node: number | undefined;
  /** Told what came of it, when a recovery sent it. */
  readonly answered: ((answer: Answer) => void) | undefined;
  /** Sent again: bit 63 is part of its unique from then on (FUSE_UNIQUE_RESEND). */
  resent: boolean;
  /** INTERRUPT was sent for it. */
  interrupted: boolean;
}

const BUCKET_BITS = 8n;
const GOLDEN_RATIO = 0x61c8864680b583ebn;

/** Bucket of the processing table that a unique is kept in (`fuse_req_hash`, `hash_long`). */
const bucketOf = (unique: number, resent: boolean): number => {
  const value = BigInt(unique) | (resent ? 1n << 63n : 0n);
  return Number(BigInt.asUintN(64, value * GOLDEN_RATIO) >> (64n - BUCKET_BITS));
};

const RESEND_MARK = 0x8000_0000;

/** A unique without the marks of bits 0 and 63, from its halves; exact below 2^53. */
export const plainUnique = (low: number, high: number): number =>
  high === 0 ? low - (low & 1) : (high % RESEND_MARK) * 0x1_0000_0000 + low - (low & 1);

/** The kernel's processing tables of all devices of a connection (`fuse_pqueue.processing`). */
export class InFlightTable {
  readonly #requests = new Map<number, InFlight>();

  /** Requests under way. */
  get size(): number {
    return this.#requests.size;
  }

  /** Notes a request that was sent. */
  add(request: InFlight): void {
    this.#requests.set(request.unique, request);
  }

  /**
   * The request that a reply's unique names, bit 0 ignored (`fuse_request_find`); `undefined` when there is none. Bit 63
   * is part of the name: an answer computed before a resend does not find the request any more.
   */
  find(low: number, high: number): InFlight | undefined {
    const resent = high >= RESEND_MARK;
    const request = this.#requests.get(plainUnique(low, high));
    return request?.resent === resent ? request : undefined;
  }

  /** The request of a unique without marks, sent again or not; `undefined` when there is none. */
  get(unique: number): InFlight | undefined {
    return this.#requests.get(unique);
  }

  /** Ends a request. */
  remove(request: InFlight): void {
    this.#requests.delete(request.unique);
  }

  /** All requests, oldest first. */
  all(): InFlight[] {
    return [...this.#requests.values()];
  }

  /**
   * Marks every request as sent again, and gives them in the order in which the kernel sends them: bucket by bucket of its
   * hash table, so not in the order of their arrival (`fuse_chan_resend`). The frames are left as they are.
   */
  resend(): InFlight[] {
    const keyed = this.all().map((request) => ({
      request,
      bucket: bucketOf(request.unique, request.resent),
    }));
    keyed.sort((a, b) => a.bucket - b.bucket);
    for (const { request } of keyed) request.resent = true;
    return keyed.map(({ request }) => request);
  }
}
