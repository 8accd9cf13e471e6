/**
 * What came of the cases of one batch, collected while the replies come: an observation for each, the judgements of the unsafe
 * ones, and who is to be suspected when the server fails. It sends nothing.
 */

import type { Refusal } from '../kernel/refusal.js';
import type { Outcome } from '../oracle/probe.js';
import { isUnsafe } from '../oracle/verdict.js';
import { errorOf } from '../protocol/header.js';
import type { Batch } from './batch.js';
import type { Case, CaseRequest } from './case.js';
import type { Suspicion, Trouble } from './ground.js';
import type { LaneListener, SlotStates } from './lane.js';
import { asksForChange, mayTouch } from './lawful.js';
import type { Observed, Observer } from './observe.js';

/** What the replies of a batch came to, before anybody looks at objects and live ids. */
export interface Replies {
  /** By case; `undefined` for those that the server did not get to, or did not answer. */
  readonly observations: readonly (Observed | undefined)[];
  readonly suspicions: readonly Suspicion[];
  /** The end of the server, or its silence. */
  readonly trouble: Trouble | undefined;
  /** Cases of a kind not seen before whose replies leave open what they did. */
  readonly doubtful: readonly number[];
}

/** With one server thread the first unanswered request is the guilty one, with a few it is among the first few. */
const FIRST_SUSPECTS = 4;

/** Each is tried again alone, which takes as long as some hundred cases do; the others have their turn in a later batch. */
const MOST_DOUBTFUL = 64;

/** Collects what came of the cases of one batch. */
export class Report implements LaneListener {
  readonly #cases: readonly Case[];
  readonly #batch: Batch;
  readonly #observer: Observer;
  readonly #observations: (Observed | undefined)[];
  readonly #suspicions: Suspicion[] = [];
  readonly #doubtful: number[] = [];
  #lastErrno: number | undefined;
  readonly #done: CaseRequest[] = [];

  constructor(cases: readonly Case[], batch: Batch, observer: Observer) {
    this.#cases = cases;
    this.#batch = batch;
    this.#observer = observer;
    this.#observations = new Array<Observed | undefined>(cases.length).fill(undefined);
  }

  onReply(slot: number, reply: Uint8Array, refusal: Refusal | undefined): void {
    const index = this.#batch.caseOf[slot] ?? -1;
    const one = this.#cases[index];
    const request = this.#batch.requests[slot];
    if (one === undefined || request === undefined) return;
    const isWrong = slot - (this.#batch.first[slot] ?? 0) === one.wrong;
    if (errorOf(reply) === 0 && mayTouch(request)) this.#done.push(request);
    if (isWrong && index === this.#cases.length - 1) this.#lastErrno = -errorOf(reply);
    if (isWrong || refusal !== undefined)
      this.#put(index, this.#observer.replied(one, request, reply, refusal));
  }

  onStray(slot: number, message: Uint8Array, refusal: Refusal): void {
    const index = slot < 0 ? this.#cases.length - 1 : (this.#batch.caseOf[slot] ?? -1);
    const one = this.#cases[index];
    const request = slot < 0 ? one?.requests[one.wrong] : this.#batch.requests[slot];
    if (one === undefined || request === undefined) return;
    this.#put(index, this.#observer.saw(one, request, { kind: 'reply', bytes: message.slice(), refusal }));
  }

  /** Positive errno of the wrong request of the last case, 0 for a good reply; absent without one. */
  get lastErrno(): number | undefined {
    return this.#lastErrno;
  }

  /** Whether a request that asks for a change was answered well. */
  get isStoreChanged(): boolean {
    return this.#done.some(asksForChange);
  }

  /** Requests that may have touched the store: they were answered well, or not answered and none was due. */
  touching(slots: SlotStates): CaseRequest[] {
    const { requests, caseOf } = this.#batch;
    const loose = slots.unanswered(true).filter((slot) => caseOf[slot] !== -1);
    const swallowed = loose.flatMap((slot) => requests[slot] ?? []);
    return [...this.#done, ...swallowed.filter(mayTouch)];
  }

  /** The server answers for its root. */
  well(slots: SlotStates): Replies {
    return this.#replies(slots, undefined);
  }

  /** The server ended, or something that is due did not come. */
  failed(outcome: Extract<Outcome, { kind: 'ended' | 'silence' }>, slots: SlotStates): Replies {
    const suspects = this.#suspects(slots);
    const one = this.#cases[suspects[0] ?? this.#cases.length - 1];
    const request = one?.requests[one.wrong];
    if (one === undefined || request === undefined) return this.#replies(slots, undefined);
    const { judgement } = this.#observer.saw(one, request, outcome);
    const kind = outcome.kind === 'ended' ? 'ended' : 'hang';
    return this.#replies(slots, { kind, judgement, suspects });
  }

  #replies(slots: SlotStates, trouble: Trouble | undefined): Replies {
    const observations = this.#cases.map(
      (one, index) => this.#observations[index] ?? this.#left(slots, one, index),
    );
    return { observations, suspicions: this.#suspicions, trouble, doubtful: this.#doubtful };
  }

  /** Nothing came: none was due, or the server did not get to it. */
  #left(slots: SlotStates, one: Case, index: number): Observed | undefined {
    const slot = (this.#batch.starts[index] ?? 0) + one.wrong;
    const request = this.#batch.requests[slot];
    if (request === undefined || !slots.isSwallowed(slot)) return undefined;
    const observation = this.#observer.swallowed(one, request);
    this.#put(index, observation);
    return observation;
  }

  /** Cases with requests that were sent and not answered, in the order of sending; first those to which an answer is due. */
  #suspects(slots: SlotStates): number[] {
    const due = slots.unanswered().map((slot) => this.#batch.caseOf[slot] ?? -1);
    const loose = slots.unanswered(true).map((slot) => this.#batch.caseOf[slot] ?? -1);
    return [...new Set([...due.slice(0, FIRST_SUSPECTS), ...loose.slice(-FIRST_SUSPECTS)])].filter(
      (index) => index >= 0,
    );
  }

  #put(index: number, observed: Observed): void {
    const { judgement } = observed;
    const one = this.#cases[index];
    const isBad = isUnsafe(judgement.verdict);
    const known = this.#observations[index];
    if (known === undefined || isBad) this.#observations[index] = observed;
    if (isBad) this.#suspicions.push({ index, judgement });
    else if (one !== undefined && this.#doubtful.length < MOST_DOUBTFUL)
      if (this.#observer.isDoubtful(observed, one)) this.#doubtful.push(index);
  }
}
