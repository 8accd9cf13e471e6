/**
 * The kernel's half of the FUSE protocol as a state machine: events in, commands out, no IO, no clock, no randomness.
 *
 *     const kernel = new VirtualKernel({ letGo: 'given' });
 *     for (const command of kernel.handle({ kind: 'mount' })) …            // send INIT
 *     kernel.handle({ kind: 'message', bytes })                            // connected; later: replied, rejected, notified
 *     kernel.handle({ kind: 'request', bytes, tag: 7 })                    // send, or withheld, or nothing yet (it waits)
 *     kernel.handle({ kind: 'died' })
 *     kernel.handle({ kind: 'restarted', strategy })                       // send INIT to the new server; then connected
 *     kernel.handle({ kind: 'pull', room: 64 })                            // messages of the recovery, then `recovered`
 *
 * Three drivers use it. Replay sends the requests of a plan (`request`, letGo `given`), the tour walks by itself and lets
 * the kernel forget (`request`, `shrink`, letGo `automatic`), the recorder and the lift follow a real kernel (`seen`,
 * `message`, letGo `given`). `kernel.cache` answers questions: nodes, names, paths, open files.
 */

import { Errno } from '../base/errno.js';
import type { NodeId } from '../base/ids.js';
import { isNotification, opcodeOf } from '../protocol/header.js';
import { type Negotiated, newestNegotiated } from '../protocol/negotiated.js';
import { u32At } from '../protocol/raw.js';
import { Cache, type LetGo } from './cache.js';
import type { Command, KernelEvent } from './conversation.js';
import { applyError, applyReply, applyRequest, nodeAt } from './effects.js';
import type { Answer, InFlight } from './in-flight.js';
import { notifyReplyMessage } from './messages.js';
import { acceptInit, defaultOffer, type InitOffer, initMessage } from './negotiation.js';
import { applyNotification } from './notices.js';
import { Outbox } from './outbox.js';
import { type Judge, Recovery } from './recovery.js';
import { byDevice, type Refusal } from './refusal.js';
import { checkError, checkHeader, checkLength } from './reply-length.js';
import { type Shape, shapesOf } from './shape.js';
import type { Strategy } from './strategies/strategy.js';
import { trust } from './strategies/trust.js';
import type { Tally } from './tally.js';

/** How to set a kernel up. */
export interface VirtualKernelOptions {
  readonly letGo: LetGo;
  /** What INIT offers; by default what a kernel of the newest minor offers behind a socket. */
  readonly offer?: InitOffer;
  /** The session, where INIT went by before the kernel began to listen. */
  readonly negotiated?: Negotiated;
  /** Tells survivors of a recovery that are other objects in truth. */
  readonly judge?: Judge;
}

const UNIQUE_AT = 8;
const HEADER = 16;
const RESENT = 0x8000_0000;
const INIT = 26;

/** The machine. State is inside; `handle` is the only way in. */
export class VirtualKernel {
  readonly cache: Cache;
  readonly offer: InitOffer;
  readonly #outbox: Outbox;
  readonly #judge: Judge | undefined;
  #negotiated: Negotiated;
  #shapes: ReadonlyMap<number, Shape>;
  #connected: boolean;
  #recovery: Recovery | undefined;
  #noInterrupt = false;

  constructor(options: VirtualKernelOptions) {
    this.cache = new Cache(options.letGo);
    this.#outbox = new Outbox(this.cache.forgets, () => this.#negotiated);
    this.offer = options.offer ?? defaultOffer();
    this.#judge = options.judge;
    this.#connected = options.negotiated !== undefined;
    this.#negotiated = options.negotiated ?? newestNegotiated;
    this.#shapes = shapesOf(this.#negotiated);
  }

  /** The session that INIT settled; the newest one without features before that. */
  get negotiated(): Negotiated {
    return this.#negotiated;
  }

  /** Requests that await a reply. */
  get underWay(): number {
    return this.#outbox.inFlight.size;
  }

  /** What the last restart came to until now; `undefined` before the first. */
  get tally(): Tally | undefined {
    return this.#recovery?.tally;
  }

  /** Takes an event in; gives what is to be done about it, in order. */
  handle(event: KernelEvent): readonly Command[] {
    this.#dispatch(event);
    this.#outbox.flush();
    return this.#outbox.take();
  }

  #dispatch(event: KernelEvent) {
    switch (event.kind) {
      case 'request':
        return this.#request(event);
      case 'message':
        return this.#message(event.bytes);
      case 'seen':
        return this.#seen(event.bytes, event.tag);
      case 'mount':
        return this.#sendInit();
      case 'interrupt':
        return this.#interrupt(event.unique);
      case 'died':
        return this.#died();
      case 'restarted':
        return this.#restarted(event.strategy);
      case 'pull':
        return this.#pull(event.room);
      case 'shrink':
        return shrink(this.cache, event.nodes);
      default:
        return unreachable(event);
    }
  }

  #request(event: Extract<KernelEvent, { kind: 'request' }>) {
    const { bytes, tag, minted } = event;
    const shape = this.#shapes.get(opcodeOf(bytes));
    if (shape === undefined || this.#recovery === undefined || event.force === true) {
      return this.#send(bytes, tag, shape);
    }
    return this.#recovery.gate.admit({ shape, bytes, minted }, (admission) => {
      if (admission.kind === 'pass') return this.#send(admission.bytes, tag, shape);
      const { errno, by } = admission;
      return this.#outbox.put({ kind: 'withheld', tag, request: bytes, errno, by });
    });
  }

  #send(bytes: Uint8Array, tag: number, shape: Shape | undefined): void {
    const holds = this.cache.letGo === 'automatic' && shape?.answered === 'always';
    const node = holds ? nodeAt(this.cache, bytes) : undefined;
    if (node !== undefined) this.cache.nodes.pin(node);
    if (shape !== undefined) applyRequest(this.cache, shape, bytes);
    this.#outbox.send(bytes, { shape, cause: 'request', tag, node });
  }

  #seen(bytes: Uint8Array, tag: number): void {
    const shape = this.#shapes.get(opcodeOf(bytes));
    const high = u32At(bytes, UNIQUE_AT + 4);
    const unique = uniqueIn(bytes);
    if (shape !== undefined && high < RESENT) applyRequest(this.cache, shape, bytes);
    const known = this.#outbox.inFlight.get(unique);
    if (known !== undefined) {
      known.resent = high >= RESENT;
      return;
    }
    const common = { unique, shape, bytes, tag, node: undefined, answered: undefined, interrupted: false };
    this.#outbox.follow(
      { ...common, resent: high >= RESENT },
      shape === undefined || shape.answered === 'always',
    );
  }

  #message(bytes: Uint8Array) {
    const malformed = checkHeader(bytes);
    if (malformed !== undefined) return this.#reject(bytes, malformed);
    if (isNotification(bytes)) return this.#notification(bytes);
    const request = this.#outbox.inFlight.find(u32At(bytes, UNIQUE_AT), u32At(bytes, UNIQUE_AT + 4));
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
      this.#outbox.inFlight.get(unique) === undefined ? this.#outbox.classify(unique) : 'unknownUnique';
    return byDevice(reason, Errno.ENOENT, 'fuse_request_find');
  }

  #reject(bytes: Uint8Array, refusal: Refusal, request?: InFlight): void {
    this.#outbox.put({ kind: 'rejected', bytes, tag: request?.tag, refusal });
  }

  #finish(request: InFlight, reply: Uint8Array) {
    this.#outbox.inFlight.remove(request);
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
    const exchange = shape && { cache: this.cache, shape, request: bytes, reply, tag };
    if (exchange !== undefined && answer.errno !== 0) applyError(exchange, answer.errno);
    const applied = exchange !== undefined && answer.errno === 0 ? applyReply(exchange) : undefined;
    if (applied?.bad !== undefined && this.#recovery === undefined) this.#recovery = this.#recover(trust);
    if (request.node !== undefined) this.cache.release(request.node);
    const refusal = refused ?? applied?.refusal;
    this.#outbox.put({
      kind: 'replied',
      tag,
      unique,
      operation: shape?.operation,
      request: bytes,
      reply,
      errno: applied?.refusal?.errno ?? answer.errno,
      refusal,
      node: applied?.node,
      file: applied?.file,
    });
  }

  /** ENOSYS ends all interrupting, EAGAIN asks for another INTERRUPT; anything else is taken and ignored. */
  #interruptReply(request: InFlight, bytes: Uint8Array) {
    if (bytes.length !== HEADER) return this.#reject(bytes, byDevice('long'), request);
    const errno = errnoIn(bytes);
    if (errno === Errno.ENOSYS) this.#noInterrupt = true;
    else if (errno === Errno.EAGAIN && request.interrupted) this.#outbox.interrupt(request);
    return undefined;
  }

  #interrupt(unique: number): void {
    const request = this.#outbox.inFlight.get(unique);
    if (request !== undefined && !this.#noInterrupt) this.#outbox.interrupt(request);
  }

  #notification(bytes: Uint8Array) {
    const notice = this.#connected ? applyNotification(this.cache, bytes, this.#negotiated) : undefined;
    if (notice === undefined)
      return this.#reject(bytes, byDevice('notification', Errno.EINVAL, 'fuse_notify'));
    this.#outbox.put({ kind: 'notified', ...notice });
    if (notice.errno !== 0) return undefined;
    if (notice.name === 'RESEND') this.#resend();
    if (notice.name === 'RETRIEVE') {
      this.#outbox.sendOwn(notifyReplyMessage(bytes.subarray(HEADER)), 'notifyReply');
    }
    return undefined;
  }

  #resend(): void {
    for (const request of this.#outbox.inFlight.resend()) this.#outbox.sendAgain(request);
  }

  #sendInit(): void {
    this.#outbox.send(initMessage(this.offer), { shape: this.#shapes.get(INIT), cause: 'init' });
  }

  #initReply(request: InFlight, reply: Uint8Array, refusal: Refusal | undefined) {
    const outcome = refusal === undefined ? acceptInit(request.bytes, reply, this.offer) : undefined;
    if (outcome?.kind !== 'accepted') {
      const why = outcome?.refusal ?? refusal ?? byDevice('init');
      return this.#outbox.put({ kind: 'disconnected', refusal: why, errno: outcome?.errno ?? Errno.EIO });
    }
    const { negotiated } = outcome;
    const differs = this.#connected ? differences(this.#negotiated, negotiated) : [];
    if (!this.#connected) {
      this.#negotiated = negotiated;
      this.#shapes = shapesOf(negotiated);
      this.#connected = true;
    }
    return this.#outbox.put({ kind: 'connected', negotiated, differs });
  }

  /** What the dead server had read stays under way; the kernel's own questions do not. */
  #died(): void {
    this.#recovery?.abort();
    for (const request of this.#outbox.inFlight.all()) {
      const own = request.answered !== undefined || request.shape?.operation.opcode === INIT;
      if (own) this.#outbox.inFlight.remove(request);
    }
  }

  #restarted(strategy: Strategy | undefined): void {
    this.cache.incarnation++;
    if (strategy === undefined) return;
    for (let node = 0; node < this.cache.nodes.top; node++) {
      if (this.cache.nodes.has(node)) this.cache.nodes.setFate(node, 'unknown');
    }
    this.#recovery = this.#recover(strategy);
    this.#sendInit();
  }

  #recover(strategy: Strategy): Recovery {
    return new Recovery({
      cache: this.cache,
      outbox: this.#outbox,
      strategy,
      judge: this.#judge,
      minor: this.#negotiated.minor,
      shape: (opcode) => this.#shapes.get(opcode),
    });
  }

  #pull(room: number): void {
    if (this.#recovery === undefined || !this.#recovery.pull(room)) return;
    this.#settleInFlight(this.#recovery.strategy);
    this.#outbox.put({ kind: 'recovered', tally: this.#recovery.tally });
  }

  #settleInFlight(strategy: Strategy) {
    if (strategy.inFlight === 'resend') return this.#resend();
    const left = this.#outbox.inFlight.all();
    const tags = left.map(({ tag }) => tag);
    if (strategy.inFlight === 'hang') {
      return this.#outbox.put({ kind: 'abandoned', tags, outcome: 'hang' });
    }
    for (const request of left) {
      this.#outbox.inFlight.remove(request);
      if (request.node !== undefined) this.cache.release(request.node);
    }
    return this.#outbox.put({ kind: 'abandoned', tags, outcome: { errno: Errno.ECONNABORTED } });
  }
}

/** The positive errno of a reply; 0 for a good one. */
const errnoIn = (reply: Uint8Array): number => 0 - (u32At(reply, 4) | 0);

/** Unique of a frame without the marks of bits 0 and 63. */
const uniqueIn = (bytes: Uint8Array): number => {
  const low = u32At(bytes, UNIQUE_AT);
  return (u32At(bytes, UNIQUE_AT + 4) % RESENT) * 0x1_0000_0000 + low - (low & 1);
};

const differences = (before: Negotiated, now: Negotiated): (keyof Negotiated)[] =>
  (Object.keys(before) as (keyof Negotiated)[]).filter((key) => before[key] !== now[key]);

/** Lets go of what nothing needs, again and again, as directories become free with the last name in them. */
const shrink = (cache: Cache, ids: readonly NodeId[] | undefined): void => {
  if (ids !== undefined) {
    for (const id of ids) {
      const node = cache.nodes.find(id);
      if (node !== undefined) cache.prune(node);
    }
    return;
  }
  for (let progress = true; progress; ) {
    progress = false;
    for (let node = cache.nodes.top - 1; node > cache.root; node--) {
      if (cache.nodes.has(node) && cache.prune(node)) progress = cache.letGo === 'automatic';
    }
  }
};

const unreachable = (event: never): never => {
  throw new Error(`no such event: ${String(event)}`);
};
