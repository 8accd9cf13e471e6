/**
 * The channel to one life of a server with many requests under way: sends whatever it is given, also what no kernel would send,
 * matches replies by their uniques, and says which of them the device would refuse. What replies mean is not known here.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Errno } from '../base/errno.js';
import { byDevice, type Refusal } from '../kernel/refusal.js';
import { checkError, checkHeader, checkLength } from '../kernel/reply-length.js';
import type { Shape } from '../kernel/shape.js';
import { putPair } from '../kernel/wire.js';
import type { Bindings } from '../plan/bindings.js';
import { errorOf, isNotification, OUT_HEADER_SIZE, opcodeOf, UNIQUE_AT } from '../protocol/header.js';
import { notificationOf } from '../protocol/notifications.js';
import { u32At } from '../protocol/raw.js';
import { PATIENCE_MS } from '../transport/connection.js';
import { type Batch, batchOf } from './batch.js';
import type { CaseRequest } from './case.js';
import { isAwaited } from './due.js';
import { fillRequest } from './fill.js';
import { givenBack, handsOut } from './given-back.js';
import type { Life } from './life.js';

/** Who is told what came; arguments are valid only during the call. */
export interface LaneListener {
  /** The reply to a slot of the batch. */
  onReply(slot: number, reply: Uint8Array, refusal: Refusal | undefined): void;
  /** A message that answers nothing; `slot` is that of the request which it claims to answer, or -1. */
  onStray(slot: number, message: Uint8Array, refusal: Refusal): void;
}

/** How a batch went: all that is due was answered, the server ended, or it fell silent. */
export type LaneEnd = 'done' | 'died' | 'silent';

/** What a lane needs to know. */
export interface LaneOptions {
  readonly life: Life;
  /** By opcode, under the session of this life. */
  readonly shapes: ReadonlyMap<number, Shape>;
  readonly bindings: Bindings;
  /** Requests under way at once at most. */
  readonly depth: number;
  /** Silence after which no more is waited for. */
  readonly replyTimeoutMs: number;
}

const RESENT = 0x8000_0000;
/** High word of the unique of what gives ids back; nobody waits for the answer. */
const ASIDE = 0x0040_0000;
/** Time between two turns of the event loop, where the ends of processes are noticed. */
const SLICE_MS = 20;
/** Messages between two looks at the clock. */
const GLANCE = 256;

/** States of a slot; 0 before it is sent. `LOOSE`: no answer is due, but one may come. */
const UNDER_WAY = 1;
const LOOSE = 2;
const ANSWERED = 3;

/** What became of the slots of a batch. */
export class SlotStates {
  readonly #states: Uint8Array;

  constructor(states: Uint8Array) {
    this.#states = states;
  }

  /** Those that were sent and have no answer: of them those to which one is due, or the others (`loose`). */
  unanswered(loose = false): number[] {
    const state = loose ? LOOSE : UNDER_WAY;
    return [...this.#states.keys()].filter((slot) => this.#states[slot] === state);
  }

  /** Whether a slot was sent and no answer to it is due. */
  isSwallowed(slot: number): boolean {
    return this.#states[slot] === LOOSE;
  }
}

/** A lane. One batch at a time. */
export class Lane {
  readonly #options: LaneOptions;
  /** Number of the last request of this life. INIT had number 1. */
  #last = 1;
  #batch: Batch = batchOf([]);
  #listener: LaneListener | undefined;
  /** Number of the first slot's request. */
  #base = 2;
  #states = new Uint8Array(0);
  #next = 0;
  #awaited = 0;
  #messages = 0;
  #isFull = false;
  #asides: Uint8Array[] = [];
  #scratch = new Uint8Array(1 << 16);
  /** Requests under way below which new ones are sent before more replies are taken. */
  #enough = 0;
  readonly #take = (message: Uint8Array): boolean => {
    this.#receive(message);
    return this.#awaited > this.#enough;
  };
  readonly #numberOf = (index: number): number => this.#base + (this.#batch.first[this.#next] ?? 0) + index;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Number of the first request of the last batch. */
  get base(): number {
    return this.#base;
  }

  /** Number of the first request of the next batch. */
  get next(): number {
    return this.#last + 1;
  }

  /** How far the last batch came. */
  get slots(): SlotStates {
    return new SlotStates(this.#states);
  }

  /** Sends a batch and takes what comes until everything that is due was answered. `depth` overrules that of the lane. */
  async run(batch: Batch, listener: LaneListener, depth = this.#options.depth): Promise<LaneEnd> {
    this.#begin(batch, listener);
    this.#enough = depth >> 1;
    const { connection } = this.#options.life;
    let heard = performance.now();
    let turned = heard;
    let seen = this.#messages;
    for (let round = 1; ; round++) {
      this.#send(depth);
      if (this.#awaited === 0 && this.#next === batch.requests.length && this.#asides.length === 0)
        return 'done';
      const reception = connection.receive(this.#take, PATIENCE_MS, this.#isFull);
      if (reception === 'closed') return 'died';
      if (reception === 'taken' && round % GLANCE !== 0) continue;
      const now = performance.now();
      if (this.#messages !== seen) heard = now;
      else if (now - heard > this.#options.replyTimeoutMs) return 'silent';
      seen = this.#messages;
      if (now - turned <= SLICE_MS) continue;
      await nextTurn();
      turned = performance.now();
    }
  }

  #begin(batch: Batch, listener: LaneListener): void {
    this.#base = this.#last + 1;
    this.#last += batch.requests.length;
    this.#batch = batch;
    this.#listener = listener;
    this.#states = new Uint8Array(batch.requests.length);
    this.#next = 0;
    this.#awaited = 0;
  }

  #send(depth: number): void {
    this.#isFull = false;
    if (this.#asides.length > 0 && !this.#sendAsides()) return;
    const { requests } = this.#batch;
    while (this.#awaited < depth && this.#next < requests.length) {
      const request = requests[this.#next];
      if (request === undefined || !this.#sendOne(request)) return;
      const awaits = isAwaited(request, this.#options.shapes);
      this.#states[this.#next++] = awaits ? UNDER_WAY : LOOSE;
      if (awaits) this.#awaited++;
    }
  }

  /** False when there is no room for it now. */
  #sendOne(request: CaseRequest): boolean {
    const { bindings, life } = this.#options;
    if (request.bytes.length > this.#scratch.length) this.#scratch = new Uint8Array(request.bytes.length * 2);
    const { repeats } = request;
    const number = repeats === undefined ? this.#base + this.#next : this.#numberOf(repeats);
    const into = this.#scratch;
    const length = fillRequest(request, { into, number, bindings, numberOf: this.#numberOf });
    this.#isFull = life.connection.send(into, length) === 'full';
    return !this.#isFull;
  }

  #sendAsides(): boolean {
    const { connection } = this.#options.life;
    let sent = 0;
    for (const aside of this.#asides) {
      this.#isFull = connection.send(aside) === 'full';
      if (this.#isFull) break;
      sent++;
    }
    this.#asides = this.#asides.slice(sent);
    return !this.#isFull;
  }

  #receive(message: Uint8Array): void {
    this.#messages++;
    const unlike = checkHeader(message);
    if (unlike !== undefined) return this.#stray(-1, message, unlike);
    if (isNotification(message)) return this.#notified(message);
    const high = u32At(message, UNIQUE_AT + 4);
    if (high === ASIDE) return;
    const low = u32At(message, UNIQUE_AT);
    // The answer to an INTERRUPT.
    if ((low & 1) !== 0 && message.length === OUT_HEADER_SIZE) return;
    const slot = this.#slotOf(low, high);
    if (slot < 0) return this.#stranger(low, high, message);
    if (this.#states[slot] === UNDER_WAY) this.#awaited--;
    this.#states[slot] = ANSWERED;
    this.#answered(slot, message);
  }

  #answered(slot: number, message: Uint8Array): void {
    const request = this.#batch.requests[slot];
    if (request === undefined) return;
    const shape = this.#options.shapes.get(opcodeOf(request.bytes));
    const refusal =
      checkError(message) ?? (shape === undefined ? undefined : checkLength(shape, request.bytes, message));
    if (refusal === undefined && errorOf(message) === 0) this.#giveBack(slot, request, message);
    this.#listener?.onReply(slot, message, refusal);
  }

  /** The slot that waits for an answer with this unique, or may get one; -1 when there is none. */
  #slotOf(low: number, high: number): number {
    const resent = high === RESENT;
    if (high !== 0 && !resent) return -1;
    const slot = low / 2 - this.#base;
    const { requests, first } = this.#batch;
    if (slot < 0) return this.#slotOfEarlier(slot, resent);
    if (slot >= this.#next) return -1;
    // Others of the same case may have the same unique.
    const start = first[slot] ?? slot;
    for (let other = slot; other < this.#next && first[other] === start; other++) {
      const { repeats, resent: marked } = requests[other] ?? { repeats: undefined, resent: false };
      const isSame = other === slot ? repeats === undefined : repeats === slot - start;
      if (isSame && marked === resent && this.#isOpen(other)) return other;
    }
    return -1;
  }

  /** The slot that has the unique of a request of an earlier batch. */
  #slotOfEarlier(slot: number, resent: boolean): number {
    const { requests, first } = this.#batch;
    return requests.findIndex(
      ({ repeats, resent: marked }, other) =>
        repeats === slot - (first[other] ?? other) && marked === resent && this.#isOpen(other),
    );
  }

  #isOpen(slot: number): boolean {
    return this.#states[slot] === UNDER_WAY || this.#states[slot] === LOOSE;
  }

  /** A late answer to what was not waited for is in order; nothing else is. */
  #stranger(low: number, high: number, message: Uint8Array): void {
    const number = low / 2;
    if (number > 1 && number < this.#base && (high === 0 || high === RESENT)) return;
    const slot = number - this.#base;
    const isOurs = (high === 0 || high === RESENT) && slot >= 0 && slot < this.#next;
    const reason = isOurs ? 'answered' : 'unknownUnique';
    this.#stray(isOurs ? slot : -1, message, byDevice(reason, Errno.ENOENT, 'fuse_request_find'));
  }

  #notified(message: Uint8Array): void {
    if (notificationOf(errorOf(message)) !== undefined) return;
    this.#stray(-1, message, byDevice('notification', Errno.EINVAL, 'fuse_notify'));
  }

  #stray(slot: number, message: Uint8Array, refusal: Refusal): void {
    this.#listener?.onStray(slot, message, refusal);
  }

  /** Nobody will use what the reply to a case hands out; a server that kept it all would grow. */
  #giveBack(slot: number, { op, bytes, patches }: CaseRequest, reply: Uint8Array): void {
    if (this.#batch.caseOf[slot] === -1 || op === undefined || !handsOut(op)) return;
    const request = bytes.slice();
    for (const patch of patches)
      if (patch.kind === 'symbol') this.#options.bindings.write(patch.symbol, request, patch.offset);
    for (const aside of givenBack(op, { request, reply }, this.#options.life.negotiated)) {
      putPair(aside, UNIQUE_AT, 2, ASIDE);
      this.#asides.push(aside);
    }
  }
}
