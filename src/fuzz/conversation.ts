/**
 * Questions and answers with one life of a server, and how it ended or fell silent when it did. What is asked, and what the
 * answers are worth, is not known here.
 */

import { Slab } from '../base/slab.js';
import type { Outcome } from '../oracle/probe.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type Batch, batchOf } from './batch.js';
import type { CaseRequest } from './case.js';
import { Lane, type LaneEnd, type LaneListener, type LaneOptions, type SlotStates } from './lane.js';
import { requestOf } from './survey.js';

/** How a life failed to answer. */
export type Failure = Exclude<LaneEnd, 'done'>;

const nothing = new Uint8Array(0);
const deaf: LaneListener = { onReply: () => undefined, onStray: () => undefined };

/** Whether the server answers for its root. */
export const rootQuestion = (session: Negotiated): CaseRequest =>
  requestOf({ name: 'GETATTR', header: { unique: 0n, nodeid: 1n } }, session);

/** A conversation; it lasts as long as the life. */
export class Conversation {
  readonly #options: LaneOptions;
  readonly #lane: Lane;
  readonly #slab = new Slab();
  #isUp = true;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#lane = new Lane(options);
  }

  /** Whether the server answered the last time that it was asked. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Number of the first request of the last batch. */
  get base(): number {
    return this.#lane.base;
  }

  /** Number of the first request of the next batch. */
  get next(): number {
    return this.#lane.next;
  }

  /** How far the last batch came. */
  get slots(): SlotStates {
    return this.#lane.slots;
  }

  /** Sends a batch, and tells the listener what comes. */
  async run(batch: Batch, listener: LaneListener): Promise<LaneEnd> {
    const end = await this.#lane.run(batch, listener);
    this.#isUp = end === 'done';
    return end;
  }

  /** Replies to questions of our own; those to which none is due are empty. */
  async answers(questions: readonly CaseRequest[]): Promise<Uint8Array[] | Failure> {
    const replies: Uint8Array[] = questions.map(() => nothing);
    const listener: LaneListener = {
      onReply: (slot, reply) => {
        replies[slot] = this.#slab.copy(reply);
      },
      onStray: () => undefined,
    };
    const end = await this.run(batchOf([], questions), listener);
    return end === 'done' ? replies : end;
  }

  /** What the failure was: how the server ended, or whether it still answers for its root at least. */
  async outcomeOf(failure: Failure): Promise<Extract<Outcome, { kind: 'ended' | 'silence' }>> {
    const { life, replyTimeoutMs } = this.#options;
    if (failure === 'died') return { kind: 'ended', exit: await life.died() };
    const end = await this.#lane.run(batchOf([], [rootQuestion(life.negotiated)]), deaf);
    const later = end === 'done' ? { answered: 1, unanswered: 0 } : { answered: 0, unanswered: 1 };
    return { kind: 'silence', waitedMs: replyTimeoutMs, later };
  }
}
