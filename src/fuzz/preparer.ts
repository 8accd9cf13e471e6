/**
 * Plays the preparation of a life: sends its steps, takes other frames where the first was refused, and binds what they mint.
 * It remembers what was taken, so that the next life need not try again. What the ids are for is not known here.
 */

import type { Bindings } from '../plan/bindings.js';
import { errorOf } from '../protocol/header.js';
import type { CaseRequest } from './case.js';
import type { Conversation, Failure } from './conversation.js';
import { bindMinted, type PreparingStep, stretches } from './preparation.js';

/** A step and the good reply to it. */
export interface Told {
  readonly step: PreparingStep;
  readonly reply: Uint8Array;
}

/** The life that is prepared. */
export interface Prepared {
  readonly talk: Conversation;
  readonly bindings: Bindings;
}

const nothing = new Uint8Array(0);

const asRequest = ({ op, patches }: PreparingStep, bytes: Uint8Array): CaseRequest => ({
  ...{ op, bytes, patches },
  resent: false,
});

/** Prepares the lives of one server. */
export class Preparer {
  /** Steps whose first frame was refused, and the frame that was taken instead. */
  readonly #taken = new Map<PreparingStep, Uint8Array | undefined>();

  /** The frame of a step that the server took when it was sent last; `undefined` when it refused all of them. */
  taken(step: PreparingStep): Uint8Array | undefined {
    return this.#taken.has(step) ? this.#taken.get(step) : step.bytes;
  }

  /** Sends steps, those together that do not rely on each other; the good replies. */
  async play(steps: readonly PreparingStep[], life: Prepared): Promise<Told[] | Failure> {
    const told: Told[] = [];
    for (const all of stretches(steps)) {
      const stretch = all.filter((step) => this.#isPossible(step, life.bindings));
      const replies = await life.talk.answers(
        stretch.map((step) => asRequest(step, this.taken(step) ?? step.bytes)),
      );
      if (typeof replies === 'string') return replies;
      for (const [index, step] of stretch.entries()) {
        const reply = await this.#accepted(step, replies[index] ?? nothing, life.talk);
        if (typeof reply === 'string') return reply;
        if (reply === undefined) continue;
        bindMinted(step, reply, life.bindings);
        told.push({ step, reply });
      }
    }
    return told;
  }

  /** Whether the ids that a step relies on were given: what is not there cannot be opened. */
  #isPossible(step: PreparingStep, bindings: Bindings): boolean {
    const isPossible = step.patches.every((patch) => patch.kind === 'step' || bindings.isBound(patch.symbol));
    if (!isPossible) this.#taken.set(step, undefined);
    return isPossible;
  }

  /** The reply, or that to the next frame that may be sent instead when it was refused; absent when all were. */
  async #accepted(
    step: PreparingStep,
    reply: Uint8Array,
    talk: Conversation,
  ): Promise<Uint8Array | Failure | undefined> {
    if (reply.length === 0) return undefined;
    if (errorOf(reply) === 0) return reply;
    for (const bytes of step.instead) {
      const replies = await talk.answers([asRequest(step, bytes)]);
      if (typeof replies === 'string') return replies;
      const [next = nothing] = replies;
      if (next.length === 0 || errorOf(next) !== 0) continue;
      this.#taken.set(step, bytes);
      return next;
    }
    this.#taken.set(step, undefined);
    return undefined;
  }
}
