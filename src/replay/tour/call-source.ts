/** Runs the generators of a tour as a source of requests, one under way at a time, and counts what the server refuses. */

import { Errno, errnoName } from '../../base/errno.js';
import type { Command } from '../../kernel/conversation.js';
import type { Refusal } from '../../kernel/refusal.js';
import { errorOf } from '../../protocol/header.js';
import type { OperationName } from '../../protocol/operations.js';
import type { RequestSource } from '../request-source.js';
import type { Calls, Outcome, Request } from './calls.js';

/** A reply or message that the kernel does not take. */
export interface Refused {
  /** What was asked; `undefined` for a message that belongs to no request. */
  readonly op: OperationName | undefined;
  readonly refusal: Refusal;
}

/** Errors by operation and errno name. */
export type ErrorCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Refusals kept in full; a server that gets one thing wrong gets it wrong always. */
const REFUSALS_KEPT = 100;

/** A tour's requests. */
export class CallSource implements RequestSource {
  readonly refused: Refused[] = [];
  readonly #calls: Calls<void>;
  readonly #isStopped: () => boolean;
  readonly #errors = new Map<string, Map<string, number>>();
  #request: Request | undefined;
  #isUnderWay = false;
  #tag = 0;

  constructor(calls: Calls<void>, isStopped: () => boolean) {
    this.#calls = calls;
    this.#isStopped = isStopped;
    this.#request = this.#next();
  }

  /** The request that was made last and has no answer; `undefined` when there is none. */
  get underWay(): Request | undefined {
    return this.#isUnderWay ? this.#request : undefined;
  }

  /** Errors that the server answered with. */
  get errors(): ErrorCounts {
    return Object.fromEntries([...this.#errors].map(([op, counts]) => [op, Object.fromEntries(counts)]));
  }

  next(): { bytes: Uint8Array; tag: number } | undefined {
    const request = this.#request;
    if (request === undefined || this.#isUnderWay) return undefined;
    this.#isUnderWay = true;
    return { bytes: request.bytes, tag: ++this.#tag };
  }

  isDone(): boolean {
    return this.#request === undefined || this.#isStopped();
  }

  hear(command: Command): void {
    if (command.kind === 'rejected') this.#refuse(command.refusal);
    if (command.kind === 'replied') {
      if (command.refusal !== undefined) this.#refuse(command.refusal);
      this.#count(errorOf(command.reply));
      this.#resume({ errno: command.errno, reply: command.reply });
    }
    if (command.kind === 'withheld') this.#resume({ errno: command.errno, reply: undefined });
  }

  #resume(outcome: Outcome): void {
    this.#isUnderWay = false;
    this.#request = this.#next(outcome);
  }

  /** A first outcome is what generators want; it is looked at by nobody. */
  #next(outcome: Outcome = { errno: Errno.EIO, reply: undefined }): Request | undefined {
    const { done, value } = this.#calls.next(outcome);
    return done === true ? undefined : value;
  }

  #count(errno: number): void {
    if (errno === 0) return;
    const op = this.#request?.name ?? '';
    const counts = this.#errors.get(op) ?? new Map<string, number>();
    counts.set(errnoName(errno), (counts.get(errnoName(errno)) ?? 0) + 1);
    this.#errors.set(op, counts);
  }

  #refuse(refusal: Refusal): void {
    if (this.refused.length < REFUSALS_KEPT) this.refused.push({ op: this.underWay?.name, refusal });
  }
}
