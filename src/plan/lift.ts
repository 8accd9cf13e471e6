/** From a recording to a plan: one incarnation's conversation with its ids as symbols, ordered by what depends on what. */

import { RelightError } from '../base/error.js';
import { type Negotiated, newestNegotiated } from '../protocol/negotiated.js';
import type { BlockInfo } from '../trace/block-head.js';
import type { InitFacts, Waiting } from '../trace/context.js';
import type { Frame } from '../trace/frame.js';
import { type FrameBlocks, FrameSource } from './frame-source.js';
import { Lifter } from './lifter.js';
import { countEarlier, countUnanswered } from './notes.js';
import { orderSteps } from './ordering.js';
import type { Plan, PlanNotes } from './plan.js';
import { type Handshake, handshakeOf } from './session.js';

/** Where frames come from, in their order; an open trace is one. */
export interface Recording {
  frames(): Iterable<Frame>;
  readonly incarnations?: readonly { readonly incarnation: number; readonly init?: InitFacts }[];
  readonly header?: { readonly waiting: readonly Waiting[]; readonly firstSeq: number };
  /** With these, frames can be read again; see `LiftOptions.memoryBytes`. */
  readonly blocks?: FrameBlocks['blocks'];
  readonly framesOf?: FrameBlocks['framesOf'];
}

/** Which part of a recording becomes steps. */
export interface LiftOptions {
  /**
   * An incarnation of the server, the recording's first by default; what came before it only tells names. `all`: the whole
   * recording as one conversation, ids of an earlier incarnation going on into the next.
   */
  readonly incarnation?: number | 'all';
  /** The session to read frames by when the recording has no INIT. */
  readonly negotiated?: Negotiated;
  /**
   * Bytes of frames that the plan may hold itself, 1 GiB by default. What is beyond is read from the trace again when it is
   * needed, and the trace must then stay open as long as the plan is used; frames up to 1 KiB are always held.
   */
  readonly memoryBytes?: number;
}

const MEMORY_BYTES = 1 << 30;

/**
 * Lifts a recording. Requests in flight at the end stay as unanswered steps; INIT is `plan.init` and no step, the answer
 * to NOTIFY_RETRIEVE is part of its notice. Frames that fit nothing are counted in the notes.
 */
export const lift = (recording: Recording, options: LiftOptions = {}): Plan => {
  const walk = new Walk(recording, options);
  for (const frame of recording.frames()) if (!walk.take(frame)) break;
  return walk.finish();
};

/** Goes through the frames up to the end of the wanted incarnation. */
class Walk {
  readonly #recording: Recording;
  readonly #options: LiftOptions;
  #lifter: Lifter | undefined;
  /** `undefined` until the first frame decides. */
  #wanted: number | 'all' | undefined;
  #isWithin = false;
  #nextSeq: number;
  #missing = 0;

  constructor(recording: Recording, options: LiftOptions) {
    this.#recording = recording;
    this.#wanted = options.incarnation;
    this.#options = options;
    this.#nextSeq = recording.header?.firstSeq ?? 0;
  }

  /** False when the frame is beyond the wanted incarnation, and so will be all others. */
  take(frame: Frame): boolean {
    this.#wanted ??= frame.incarnation;
    const isWanted = this.#wanted === 'all' || frame.incarnation === this.#wanted;
    if (!isWanted && frame.incarnation > Number(this.#wanted)) return false;
    this.#lifter ??= this.#makeLifter();
    if (isWanted && !this.#isWithin) this.#begin(this.#lifter);
    this.#missing += Math.max(0, frame.seq - this.#nextSeq);
    this.#nextSeq = frame.seq + 1;
    this.#lifter.see(frame);
    return true;
  }

  finish(): Plan {
    if (this.#lifter === undefined || !this.#isWithin) throw nothingToLift(this.#wanted);
    const { steps, symbols, notices, handshake, session, resends, losses } = this.#lifter;
    orderSteps(steps, symbols);
    const { unbound, byPath } = countEarlier(steps, symbols);
    const unanswered = countUnanswered(steps);
    const notes: PlanNotes = { ...losses, byPath, unanswered, missing: this.#missing };
    return {
      ...handshake,
      negotiated: session,
      steps,
      symbols,
      notices: notices.list,
      resends,
      unbound,
      notes,
    };
  }

  #makeLifter(): Lifter {
    const waiting = this.#recording.header?.waiting ?? [];
    const { negotiated = newestNegotiated, memoryBytes: budget = MEMORY_BYTES } = this.#options;
    const { blocks } = this.#recording;
    const source = blocks && new FrameSource({ blocks, framesOf: (block) => this.#framesOf(block) });
    const rereading = source && { budget, bytesOf: (seq: number) => source.bytesOf(seq) };
    return new Lifter({ handshake: this.#handshake(), negotiated, waiting, rereading });
  }

  #framesOf(block: BlockInfo): readonly Frame[] {
    return this.#recording.framesOf?.(block) ?? [];
  }

  #begin(lifter: Lifter): void {
    this.#isWithin = true;
    lifter.startPlan();
    this.#missing = 0;
  }

  /** The handshake of the wanted incarnation, or of the last before it: INIT is sent once for a connection. */
  #handshake(): Handshake {
    const { incarnations = [] } = this.#recording;
    const upTo = typeof this.#wanted === 'number' ? this.#wanted : Number.POSITIVE_INFINITY;
    const facts = incarnations
      .filter(({ incarnation }) => incarnation <= upTo)
      .flatMap(({ init }) => init ?? []);
    const chosen = this.#wanted === 'all' ? facts[0] : facts.at(-1);
    return chosen === undefined ? { init: undefined, initReply: undefined } : handshakeOf(chosen);
  }
}

const nothingToLift = (wanted: number | 'all' | undefined): RelightError =>
  typeof wanted === 'number'
    ? new RelightError('usage', `the trace has no frames of incarnation ${wanted}`, {
        remedy: 'choose an incarnation that it has',
      })
    : new RelightError('usage', 'the trace has no frames', { remedy: 'record it again' });
