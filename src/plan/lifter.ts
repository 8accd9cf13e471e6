/**
 * Follows a recording frame by frame: requests become steps and find their replies. Which frames there are, and in which
 * order steps may be sent, is not known here.
 */

import { holdsReply, holdsRequest, isNotification, opcodeOf, UNIQUE_AT } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type Operation, operationOf } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import type { Waiting } from '../trace/context.js';
import { type Frame, wireBytes } from '../trace/frame.js';
import type { Rereading } from './byte-arena.js';
import { IdTracker } from './id-tracker.js';
import { Notices } from './notices.js';
import type { Resend } from './plan.js';
import { type Handshake, sessionOf } from './session.js';
import { StepStore } from './step-store.js';
import type { SymbolStore } from './symbol-store.js';

const RESEND_BYTE = 15;
const RESEND_BIT = 0x80;
/** In `waiting`, in place of a step: the request is no step of the plan. */
const HANDSHAKE = -1;

/** A unique without bit 63 as a number; beyond 2^53 no kernel counts. */
const keyAt = (bytes: Uint8Array, at: number): number =>
  u32At(bytes, at) + (u32At(bytes, at + 4) & 0x1fffff) * 2 ** 32;

const isResent = (bytes: Uint8Array): boolean => ((bytes[RESEND_BYTE] ?? 0) & RESEND_BIT) !== 0;

const noRequest = (): Uint8Array => new Uint8Array(0);

/** Counts of what could not be used. */
interface Losses {
  strayReplies: number;
  strayAnswers: number;
  broken: number;
}

/** A request from before the recording whose answer may be in it. */
interface EarlierRequest {
  readonly op: Operation | undefined;
  readonly nodeid: bigint;
}

/** What is known before the first frame. */
export interface LifterStart {
  /** As far as it is known already; INIT frames fill in what is missing. */
  readonly handshake: Handshake;
  /** The session until a handshake tells. */
  readonly negotiated: Negotiated;
  /** Requests whose answers may come though they were sent before. */
  readonly waiting: readonly Waiting[];
  /** Where large frames can be read again. */
  readonly rereading: Rereading | undefined;
}

/** Symbols, steps and whatever else was seen, so far. */
export class Lifter {
  readonly #ids = new IdTracker();
  readonly resends: Resend[] = [];
  readonly losses: Losses = { strayReplies: 0, strayAnswers: 0, broken: 0 };
  readonly #rereading: Rereading | undefined;
  #steps: StepStore;
  #notices = new Notices();
  #handshake: Handshake;
  #session: Negotiated;
  #startNs: bigint | undefined;
  /** Step of each request without an answer, by `keyAt`. */
  readonly #waiting = new Map<number, number>();
  readonly #earlier = new Map<number, EarlierRequest>();

  constructor({ handshake, negotiated, waiting, rereading }: LifterStart) {
    this.#rereading = rereading;
    this.#steps = new StepStore(rereading);
    this.#handshake = handshake;
    this.#session = sessionOf(handshake) ?? negotiated;
    for (const { unique, opcode, nodeid } of waiting)
      this.#earlier.set(Number(unique), { op: operationOf(opcode), nodeid });
  }

  get symbols(): SymbolStore {
    return this.#ids.symbols;
  }

  get steps(): StepStore {
    return this.#steps;
  }

  get notices(): Notices {
    return this.#notices;
  }

  get handshake(): Handshake {
    return this.#handshake;
  }

  get session(): Negotiated {
    return this.#session;
  }

  /** All that was seen so far was before the plan: it gives names to what comes, and no steps. */
  startPlan(): void {
    this.symbols.startPlan();
    this.#steps = new StepStore(this.#rereading);
    this.#notices = new Notices();
    this.#waiting.clear();
    this.#startNs = undefined;
    this.resends.length = 0;
    Object.assign(this.losses, { strayReplies: 0, strayAnswers: 0, broken: 0 });
  }

  /** Takes the next frame. */
  see(frame: Frame): void {
    const { bytes, direction } = frame;
    if (direction === 'toServer') {
      if (holdsRequest(bytes)) this.#request(frame);
      else this.losses.broken++;
    } else if (!holdsReply(bytes)) this.losses.broken++;
    else if (isNotification(bytes)) this.#notification(frame);
    else this.#reply(frame);
  }

  #request(frame: Frame): void {
    const { bytes } = frame;
    const op = operationOf(opcodeOf(bytes));
    if (op?.name === 'INIT') this.#init(bytes);
    else if (op?.name === 'NOTIFY_REPLY') this.#answerNotice(frame);
    else if (!this.#isResend(frame)) this.#add(frame, op);
  }

  #answerNotice(frame: Frame): void {
    if (!this.#notices.answer(new Uint8Array(wireBytes(frame)))) this.losses.strayAnswers++;
  }

  /** Whether a request was sent before within the plan; if so, that is noted. */
  #isResend({ bytes, seq, incarnation }: Frame): boolean {
    const step = isResent(bytes) ? this.#waiting.get(keyAt(bytes, UNIQUE_AT)) : undefined;
    if (step === undefined || step === HANDSHAKE) return false;
    this.resends.push({ seq, incarnation, step });
    return true;
  }

  #init(bytes: Uint8Array): void {
    this.#waiting.set(keyAt(bytes, UNIQUE_AT), HANDSHAKE);
    if (this.#handshake.init === undefined)
      this.#handshake = { ...this.#handshake, init: new Uint8Array(bytes) };
  }

  #add(frame: Frame, op: Operation | undefined): void {
    const { bytes, incarnation } = frame;
    const timeNs = this.#sinceStart(frame.timeNs);
    const step = this.#steps.add(frame, { timeNs, incarnation, resent: isResent(bytes) });
    this.#ids.sent(op, bytes, this.#session, (use, offset, symbol) =>
      this.#steps.patch(step, offset, use, symbol ?? this.#targetAt(bytes, offset)),
    );
    if (op?.replyRule !== 'never') this.#waiting.set(keyAt(bytes, UNIQUE_AT), step);
  }

  /** Step whose unique stands at an offset, plus one; 0 when it was sent before the plan. */
  #targetAt(bytes: Uint8Array, offset: number): number {
    return (this.#waiting.get(keyAt(bytes, offset)) ?? HANDSHAKE) + 1;
  }

  #notification(frame: Frame): void {
    this.#notices.add({
      seq: frame.seq,
      timeNs: this.#sinceStart(frame.timeNs),
      incarnation: frame.incarnation,
      before: this.#steps.length,
      bytes: new Uint8Array(wireBytes(frame)),
      answer: undefined,
    });
  }

  #reply(frame: Frame): void {
    const { bytes } = frame;
    const key = keyAt(bytes, UNIQUE_AT);
    const step = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (step === undefined) this.#earlierReply(bytes, key);
    else if (step === HANDSHAKE) this.#initReply(bytes);
    else this.#answer(step, frame);
  }

  #answer(step: number, frame: Frame): void {
    const steps = this.#steps;
    steps.answer(step, frame, this.#sinceStart(frame.timeNs));
    const op = steps.opOf(step);
    if (op === undefined || steps.isFailed(step)) return;
    const request = (): Uint8Array => steps.templateOf(step);
    const exchange = { op, request, reply: frame.bytes, nodes: this.#nodesOf(step), step };
    this.#ids.answered(exchange, this.#session, (use, offset, symbol) => {
      if (symbol !== undefined) steps.mint(step, offset, use, symbol);
    });
    this.#ids.named(exchange, this.#session, (symbol) => steps.affect(step, symbol));
  }

  #nodesOf(step: number): number[] {
    const nodes: number[] = [];
    this.#steps.eachPatched(step, (symbol, use) => {
      if (use.kind === 'node') nodes.push(symbol);
    });
    return nodes;
  }

  #initReply(bytes: Uint8Array): void {
    if (this.#handshake.initReply !== undefined) return;
    this.#handshake = { ...this.#handshake, initReply: new Uint8Array(bytes) };
    this.#session = sessionOf(this.#handshake) ?? this.#session;
  }

  /** The answer to a request from before the recording: what it mints is known from here on, but no step's. */
  #earlierReply(reply: Uint8Array, key: number): void {
    this.losses.strayReplies++;
    const request = this.#earlier.get(key);
    if (request?.op === undefined) return;
    this.#earlier.delete(key);
    const { op, nodeid } = request;
    const low = Number(BigInt.asUintN(32, nodeid));
    const node = this.symbols.resolve({ low, high: Number(nodeid >> 32n), node: undefined });
    const exchange = { op, request: noRequest, reply, nodes: [node], step: undefined };
    this.#ids.answered(exchange, this.#session, () => undefined);
  }

  #sinceStart(timeNs: bigint): number {
    this.#startNs ??= timeNs;
    return Number(timeNs - this.#startNs);
  }
}
