/**
 * What came of the cases of one batch, collected while the replies come: an observation for each, the judgements of the unsafe
 * ones, and who is to be suspected when the server fails. It sends nothing.
 */

import type { Refusal } from '../kernel/refusal.js';
import type { Outcome } from '../oracle/probe.js';
import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import { errorOf } from '../protocol/header.js';
import type { Batch } from './batch.js';
import type { Case } from './case.js';
import type { LaneListener, SlotStates } from './lane.js';
import { asksForChange } from './lawful.js';
import type { Observation, Observer } from './observe.js';

/** What came of a batch. */
export interface Played {
  /** How the server was afterwards. */
  readonly end: 'well' | 'died' | 'hangs';
  /** By case. */
  readonly observations: readonly Observation[];
  /** Unsafe ones, and of which case they are, as far as that can be told; that of an end has its likeliest cause. */
  readonly judgements: readonly CaseJudgement[];
  /** Cases that may have caused the end, the likeliest first. */
  readonly suspects: readonly number[];
  /** Cases whose replies leave open what they did: those are worth a trial by themselves (`examine`). */
  readonly doubtful: readonly number[];
}

/** A judgement and its case. */
export interface CaseJudgement {
  /** Index in the batch; absent when nobody knows. */
  readonly case: number | undefined;
  readonly judgement: Judgement;
}

/** With one server thread the first unanswered request is the guilty one, with a few it is among the first few. */
const FIRST_SUSPECTS = 4;

/** Collects what came of the cases of one batch. */
export class Report implements LaneListener {
  readonly #cases: readonly Case[];
  readonly #batch: Batch;
  readonly #observer: Observer;
  readonly #observations: (Observation | undefined)[];
  readonly #judgements: CaseJudgement[] = [];
  readonly #doubtful: number[] = [];
  /** Whether a request that asks for a change was answered well. */
  isStoreChanged = false;

  constructor(cases: readonly Case[], batch: Batch, observer: Observer) {
    this.#cases = cases;
    this.#batch = batch;
    this.#observer = observer;
    this.#observations = new Array<Observation | undefined>(cases.length).fill(undefined);
  }

  onReply(slot: number, reply: Uint8Array, refusal: Refusal | undefined): void {
    const index = this.#batch.caseOf[slot] ?? -1;
    const one = this.#cases[index];
    const request = this.#batch.requests[slot];
    if (one === undefined || request === undefined) return;
    const isWrong = slot - (this.#batch.first[slot] ?? 0) === one.wrong;
    if (!this.isStoreChanged && errorOf(reply) === 0 && asksForChange(request)) this.isStoreChanged = true;
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

  /** Positive errno of the wrong request of a case, 0 for a good reply. */
  errnoOf(index: number): number | undefined {
    return this.#observations[index]?.errno;
  }

  /** The server answers for its root. */
  well(slots: SlotStates): Played {
    return this.#played('well', slots, []);
  }

  /** The server ended (`ended`), or something that is due did not come (`silence`). */
  failed(outcome: Extract<Outcome, { kind: 'ended' | 'silence' }>, slots: SlotStates): Played {
    const suspects = this.#suspects(slots);
    this.#blame(suspects[0] ?? this.#cases.length - 1, outcome);
    return this.#played(outcome.kind === 'ended' ? 'died' : 'hangs', slots, suspects);
  }

  #played(end: Played['end'], slots: SlotStates, suspects: readonly number[]): Played {
    const observations = this.#cases.map(
      (one, index) => this.#observations[index] ?? this.#left(slots, one, index),
    );
    return { end, observations, judgements: this.#judgements, suspects, doubtful: this.#doubtful };
  }

  /** Nothing came: none was due, or the server did not get to it. */
  #left(slots: SlotStates, one: Case, index: number): Observation {
    const slot = (this.#batch.starts[index] ?? 0) + one.wrong;
    const request = this.#batch.requests[slot];
    if (request === undefined || !slots.isSwallowed(slot)) return this.#observer.missed(one);
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

  #blame(index: number, outcome: Outcome): void {
    const one = this.#cases[index];
    const request = one?.requests[one.wrong];
    if (one === undefined || request === undefined) return;
    this.#put(index, this.#observer.saw(one, request, outcome));
  }

  #put(index: number, observation: Observation): void {
    const { judgement, verdict } = observation;
    const known = this.#observations[index];
    const isBad = verdict !== undefined && isUnsafe(verdict);
    if (known?.signature === undefined || isBad) this.#observations[index] = observation;
    if (judgement === undefined) return;
    if (isBad) this.#judgements.push({ case: index, judgement });
    else if (judgement.followUps.length > 0 && this.#observer.isNews(observation)) this.#doubtful.push(index);
  }
}
