/**
 * Follows a recording frame by frame: numbers that the server minted become symbols, requests find their replies. Which
 * frames there are and in which order steps may be sent is not known here.
 */

import { holdsReply, holdsRequest, isNotification, opcodeOf } from '../protocol/header.js';
import { type IdVisitor, replyIdMap, requestIdMap, visitIds } from '../protocol/id-sites.js';
import { node as headerNode } from '../protocol/id-uses.js';
import { fieldAt } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type Operation, operationOf } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import { entryOut } from '../protocol/structs.js';
import type { Waiting } from '../trace/context.js';
import { type Frame, wireBytes } from '../trace/frame.js';
import type { Rereading } from './byte-arena.js';
import { Notices } from './notices.js';
import { nameShape, Places } from './places.js';
import type { Resend } from './plan.js';
import { recordNameEnd, recordNameStart } from './record-name.js';
import { type Handshake, sessionOf } from './session.js';
import { StepStore } from './step-store.js';
import { type IdKey, type NodeFacts, SymbolStore } from './symbol-store.js';

const UNIQUE_AT = 8;
const RESEND_BYTE = 15;
const RESEND_BIT = 0x80;
const NODEID_AT = 16;
const S_IFMT = 0xf000;
const S_IFDIR = 0x4000;
/** In `waiting`, in place of a step: the request is no step of the plan. */
const HANDSHAKE = -1;

/** Every reply that mints a node has a `fuse_entry_out` around it. */
const fromNodeid = (field: string): number =>
  (fieldAt(entryOut, field)?.offset ?? 0) - (fieldAt(entryOut, 'nodeid')?.offset ?? 0);
const MODE_FROM_NODEID = fromNodeid('attr.mode');
const INO_FROM_NODEID = fromNodeid('attr.ino');
const NLINK_FROM_NODEID = fromNodeid('attr.nlink');

/** A unique without bit 63 as a number; beyond 2^53 no kernel counts. */
const keyAt = (bytes: Uint8Array, at: number): number =>
  u32At(bytes, at) + (u32At(bytes, at + 4) & 0x1fffff) * 2 ** 32;

const isResent = (bytes: Uint8Array): boolean => ((bytes[RESEND_BYTE] ?? 0) & RESEND_BIT) !== 0;

const countAt = (bytes: Uint8Array, at: number): number => u32At(bytes, at) + u32At(bytes, at + 4) * 2 ** 32;

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
  readonly symbols = new SymbolStore();
  readonly resends: Resend[] = [];
  readonly losses: Losses = { strayReplies: 0, strayAnswers: 0, broken: 0 };
  readonly #rereading: Rereading | undefined;
  #steps: StepStore;
  #notices = new Notices();
  #handshake: Handshake;
  #session: Negotiated;
  #startNs: bigint | undefined;
  readonly #places = new Places(this.symbols);
  /** Step of each request without an answer, by `keyAt`. */
  readonly #waiting = new Map<number, number>();
  readonly #earlier = new Map<number, EarlierRequest>();
  /** The frame whose ids are being visited, and its step; -1 when it has none. */
  #bytes: Uint8Array = new Uint8Array(0);
  #step = -1;
  /** The node that handles belong to: the last one seen in the exchange. */
  #node: number | undefined;
  /** A node of each object that has several links, by inode number. */
  readonly #linked = new Map<number, number>();
  /** Node that the reply at hand minted last. */
  #minted: number | undefined;

  constructor({ handshake, negotiated, waiting, rereading }: LifterStart) {
    this.#rereading = rereading;
    this.#steps = new StepStore(rereading);
    this.#handshake = handshake;
    this.#session = sessionOf(handshake) ?? negotiated;
    for (const { unique, opcode, nodeid } of waiting)
      this.#earlier.set(Number(unique), { op: operationOf(opcode), nodeid });
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
    this.#step = this.#steps.add(frame, { timeNs, incarnation, resent: isResent(bytes) });
    this.#bytes = bytes;
    this.#node = undefined;
    if (op !== undefined) visitIds(requestIdMap(op, this.#session), bytes, this.#patch);
    else if (u32At(bytes, NODEID_AT) !== 0 || u32At(bytes, NODEID_AT + 4) !== 0)
      this.#patch(headerNode, NODEID_AT, -1, -1);
    if (op?.replyRule !== 'never') this.#waiting.set(keyAt(bytes, UNIQUE_AT), this.#step);
  }

  readonly #patch: IdVisitor = (use, offset, count) => {
    const bytes = this.#bytes;
    if (use.kind === 'node') {
      const key = this.#keyAt(offset);
      this.#node =
        use.act === 'release' ? this.symbols.forget(key, countAt(bytes, count)) : this.symbols.resolve(key);
      this.#steps.patch(this.#step, offset, use, this.#node);
    } else if (use.kind === 'handle') {
      const key = this.#keyAt(offset, this.#node);
      const symbol = use.act === 'release' ? this.symbols.release(key) : this.symbols.resolve(key);
      this.#steps.patch(this.#step, offset, use, symbol);
    } else if (use.kind === 'unique') {
      const target = this.#waiting.get(keyAt(bytes, offset));
      this.#steps.patch(this.#step, offset, use, target === undefined ? 0 : target + 1);
    }
  };

  #keyAt(offset: number, node?: number): IdKey {
    return { low: u32At(this.#bytes, offset), high: u32At(this.#bytes, offset + 4), node };
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
    const { bytes } = frame;
    this.#steps.answer(step, frame, this.#sinceStart(frame.timeNs));
    const op = this.#steps.opOf(step);
    if (op === undefined || this.#steps.isFailed(step)) return;
    const nodes = this.#nodesOf(step);
    this.#step = step;
    this.#node = nodes[0];
    this.#visitReply(op, bytes);
    // LINK alone names a node besides the directory in its header and mints one.
    const [, linked] = nodes;
    if (linked !== undefined && this.#minted !== undefined) this.symbols.link(linked, this.#minted);
    this.#applyNames(op, nodes);
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

  #earlierReply(bytes: Uint8Array, key: number): void {
    this.losses.strayReplies++;
    const request = this.#earlier.get(key);
    if (request?.op === undefined) return;
    this.#earlier.delete(key);
    const { nodeid } = request;
    const low = Number(BigInt.asUintN(32, nodeid));
    this.#step = -1;
    this.#node = this.symbols.resolve({ low, high: Number(nodeid >> 32n), node: undefined });
    this.#visitReply(request.op, bytes);
  }

  #visitReply(op: Operation, bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#minted = undefined;
    visitIds(replyIdMap(op, this.#session), bytes, this.#mint);
  }

  readonly #mint: IdVisitor = (use, offset, _count, generationAt) => {
    const step = this.#step < 0 ? undefined : this.#step;
    if (use.kind === 'node') {
      const directory = this.#node;
      const symbol = this.symbols.mintNode(this.#keyAt(offset), this.#factsAt(offset, generationAt), step);
      this.#minted = symbol;
      this.#linkByNumber(symbol, offset);
      if (use.each !== undefined && directory !== undefined) this.#foundRecord(directory, symbol, offset);
      else this.#node = symbol;
      if (step !== undefined) this.#steps.mint(step, offset, use, symbol);
    } else if (use.kind === 'handle') {
      const symbol = this.symbols.mintHandle(this.#keyAt(offset, this.#node), step);
      if (step !== undefined) this.#steps.mint(step, offset, use, symbol);
    }
  };

  /** Entries of files with several links and one inode number are one object, whatever their nodeids. */
  #linkByNumber(symbol: number, offset: number): void {
    const bytes = this.#bytes;
    const type = u32At(bytes, offset + MODE_FROM_NODEID) & S_IFMT;
    if (type === S_IFDIR || u32At(bytes, offset + NLINK_FROM_NODEID) < 2) return;
    const ino = keyAt(bytes, offset + INO_FROM_NODEID);
    const known = this.#linked.get(ino);
    if (known === undefined) this.#linked.set(ino, symbol);
    else this.symbols.link(known, symbol);
  }

  #factsAt(offset: number, generationAt: number): NodeFacts {
    const bytes = this.#bytes;
    return {
      generationLow: u32At(bytes, generationAt),
      generationHigh: u32At(bytes, generationAt + 4),
      type: u32At(bytes, offset + MODE_FROM_NODEID) & S_IFMT,
    };
  }

  #foundRecord(directory: number, symbol: number, offset: number): void {
    const start = recordNameStart(offset);
    const end = recordNameEnd(this.#bytes, offset);
    if (start < end) this.#places.found(directory, symbol, this.#bytes, start, end);
  }

  #applyNames(op: Operation, [parent, newParent]: readonly number[]): void {
    const { shape } = nameShape(op, this.#session);
    if (shape === undefined || parent === undefined) return;
    const step = this.#step;
    const request = this.#steps.templateOf(step);
    const node = this.#minted;
    this.#places.apply({ shape, request, parent, newParent, node }, (symbol) =>
      this.#steps.affect(step, symbol),
    );
  }

  #sinceStart(timeNs: bigint): number {
    this.#startNs ??= timeNs;
    return Number(timeNs - this.#startNs);
  }
}
