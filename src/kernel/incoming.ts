/**
 * Messages from the server on their way in: what the device refuses, which request a reply ends and what it changes, what a
 * notification does. It answers to the machine for all that is sent because of them.
 */

import { Errno } from '../base/errno.js';
import { isNotification, OUT_HEADER_SIZE, UNIQUE_AT } from '../protocol/header.js';
import { operationNamed } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import type { Cache } from './cache.js';
import { applyError, applyReply } from './effects.js';
import { type Answer, type InFlight, plainUnique } from './in-flight.js';
import { notifyReplyMessage } from './messages.js';
import type { InitOffer } from './negotiation.js';
import { applyNotification } from './notices.js';
import type { Outbox } from './outbox.js';
import { byDevice, type Refusal } from './refusal.js';
import { checkError, checkHeader, checkLength } from './reply-length.js';
import type { Session } from './session.js';
import type { Unsupported } from './unsupported.js';

/** What messages act on. */
export interface IncomingParts {
  readonly cache: Cache;
  readonly outbox: Outbox;
  readonly session: Session;
  readonly unsupported: Unsupported;
  offer(): InitOffer;
  /** A node went bad. */
  wentBad(): void;
  /** Sends all that is under way again. */
  resend(): void;
  /** Whether the real kernel does the talking. */
  follows(): boolean;
}

/** Opcode of the handshake. */
export const INIT = operationNamed('INIT').opcode;

/** The device's `write` side. */
export class Incoming {
  readonly #parts: IncomingParts;

  constructor(parts: IncomingParts) {
    this.#parts = parts;
  }

  /** Takes a message: a reply, an answer to INTERRUPT, or a notification. */
  take(bytes: Uint8Array) {
    const malformed = checkHeader(bytes);
    if (malformed !== undefined) return this.#reject(bytes, malformed);
    if (isNotification(bytes)) return this.#notification(bytes);
    const request = this.#parts.outbox.inFlight.find(u32At(bytes, UNIQUE_AT), u32At(bytes, UNIQUE_AT + 4));
    const outOfRange = checkError(bytes);
    if (outOfRange !== undefined) return this.#reject(bytes, outOfRange, request);
    if (request === undefined) return this.#reject(bytes, this.#stray(bytes));
    if ((u32At(bytes, UNIQUE_AT) & 1) !== 0) return this.#interruptReply(request, bytes);
    return this.#finish(request, bytes);
  }

  /** A reply to nothing: the device knows no request by this unique (`fuse_request_find`). */
  #stray(bytes: Uint8Array): Refusal {
    const unique = uniqueIn(bytes);
    // Under way, but by another mark of bit 63: computed before the request was sent again, or never sent again at all.
    const reason =
      this.#parts.outbox.inFlight.get(unique) === undefined
        ? this.#parts.outbox.classify(unique)
        : 'unknownUnique';
    return byDevice(reason, Errno.ENOENT, 'fuse_request_find');
  }

  #reject(bytes: Uint8Array, refusal: Refusal, request?: InFlight): void {
    this.#parts.outbox.put({ kind: 'rejected', bytes, tag: request?.tag, refusal });
  }

  #finish(request: InFlight, reply: Uint8Array) {
    this.#parts.outbox.inFlight.remove(request);
    const { shape } = request;
    const refusal = shape && checkLength(shape, request.bytes, reply);
    const errno = refusal === undefined ? errnoIn(reply) : Errno.EIO;
    if (request.answered !== undefined) return request.answered({ errno, reply });
    if (shape?.operation.opcode === INIT) return this.#initReply(request, reply, refusal);
    return this.#applied(request, { errno, reply }, refusal);
  }

  #applied(request: InFlight, answer: Answer, refused: Refusal | undefined): void {
    const { shape, bytes, tag, unique } = request;
    const { reply } = answer;
    const exchange = shape && { cache: this.#parts.cache, shape, request: bytes, reply, tag };
    const spared =
      shape !== undefined && answer.errno === Errno.ENOSYS
        ? this.#parts.unsupported.learn(shape, bytes)
        : undefined;
    if (exchange !== undefined && answer.errno !== 0) applyError(exchange, answer.errno);
    const applied = exchange !== undefined && answer.errno === 0 ? applyReply(exchange) : undefined;
    if (applied?.bad !== undefined) this.#parts.wentBad();
    if (request.node !== undefined) this.#parts.cache.release(request.node);
    this.#parts.outbox.put({
      kind: 'replied',
      tag,
      unique,
      operation: shape?.operation,
      request: bytes,
      reply,
      errno: applied?.refusal?.errno ?? spared?.errno ?? answer.errno,
      refusal: refused ?? applied?.refusal,
      node: applied?.node,
      file: applied?.file ?? spared?.file,
    });
  }

  /** ENOSYS ends all interrupting, EAGAIN asks for another INTERRUPT; anything else is taken and ignored. */
  #interruptReply(request: InFlight, bytes: Uint8Array) {
    if (bytes.length !== OUT_HEADER_SIZE) return this.#reject(bytes, byDevice('long'), request);
    const errno = errnoIn(bytes);
    if (errno === Errno.ENOSYS) this.#parts.outbox.forbidInterrupts();
    else if (errno === Errno.EAGAIN && request.interrupted) this.#parts.outbox.interrupt(request);
    return undefined;
  }

  #notification(bytes: Uint8Array) {
    const notice = this.#parts.session.isConnected
      ? applyNotification(this.#parts.cache, bytes, this.#parts.session.negotiated)
      : undefined;
    if (notice === undefined)
      return this.#reject(bytes, byDevice('notification', Errno.EINVAL, 'fuse_notify'));
    this.#parts.outbox.put({ kind: 'notified', ...notice });
    if (notice.errno !== 0) return undefined;
    if (notice.name === 'RESEND') this.#parts.resend();
    if (notice.name === 'RETRIEVE' && !this.#parts.follows()) {
      this.#parts.outbox.sendOwn(notifyReplyMessage(bytes.subarray(OUT_HEADER_SIZE)), 'notifyReply');
    }
    return undefined;
  }

  #initReply(request: InFlight, reply: Uint8Array, refusal: Refusal | undefined) {
    const offer = this.#parts.offer();
    this.#parts.outbox.put(this.#parts.session.accept(request.bytes, reply, offer, refusal));
  }
}

/** The positive errno of a reply; 0 for a good one. */
const errnoIn = (reply: Uint8Array): number => 0 - (u32At(reply, 4) | 0);

/** Unique of a frame without the marks of bits 0 and 63. */
export const uniqueIn = (bytes: Uint8Array): number =>
  plainUnique(u32At(bytes, UNIQUE_AT), u32At(bytes, UNIQUE_AT + 4));
