/** A stretch of a plan as a source of requests: binds each step when its turn comes, learns and compares when it is answered. */

import { Slab } from '../base/slab.js';
import type { Command, Replied } from '../kernel/conversation.js';
import { compareReply, type Divergence } from '../oracle/compare.js';
import { bindRequest } from '../plan/bind.js';
import type { Bindings } from '../plan/bindings.js';
import { learn } from '../plan/learn.js';
import { type Plan, ROOT_SYMBOL, type Step } from '../plan/plan.js';
import type { Driver } from './driver.js';
import type { Pace } from './pace.js';
import type { RequestSource } from './request-source.js';
import { Schedule } from './schedule.js';

/** What a replay knows of its symbols and steps, over all incarnations. */
export interface PlanState {
  readonly plan: Plan;
  readonly bindings: Bindings;
  /** Incarnation that minted what each symbol is bound to. */
  readonly mintedIn: Uint16Array;
  /** Unique under which each step was sent last; 0 before. */
  readonly uniques: Float64Array;
  /** 1 for steps that were answered, withheld, or given up: they are not sent again. */
  readonly finished: Uint8Array;
  /** The incarnation that runs. */
  incarnation: number;
}

/** A fresh state: nothing was sent, only the root is known. */
export const planState = (plan: Plan, bindings: Bindings): PlanState => ({
  plan,
  bindings,
  mintedIn: new Uint16Array(plan.symbols.length),
  uniques: new Float64Array(plan.steps.length),
  finished: new Uint8Array(plan.steps.length),
  incarnation: 0,
});

const noSymbols: readonly number[] = [];

/** Symbols of a step's request that an earlier incarnation minted. */
export const staleSymbols = (step: Step, { mintedIn, incarnation }: PlanState): readonly number[] => {
  if (incarnation === 0) return noSymbols;
  return step.patches.flatMap((patch) =>
    patch.kind === 'symbol' && patch.symbol !== ROOT_SYMBOL && mintedIn[patch.symbol] !== incarnation
      ? [patch.symbol]
      : [],
  );
};

/** Who is told what became of the steps. */
export interface StepListener {
  /** A step whose ids are all of the running incarnation was answered. */
  readonly onCompared: (step: Step, replied: Replied, divergence: Divergence | undefined) => void;
  /** A step that relied on ids of an earlier incarnation was answered. */
  readonly onStale: (step: Step, replied: Replied, stale: readonly number[]) => void;
  /** A step was sent that gets no reply. */
  readonly onSwallowed: (step: Step, request: Uint8Array) => void;
  /** A step was not sent: the kernel or the strategy kept it back. */
  readonly onWithheld: (step: Step, command: Extract<Command, { kind: 'withheld' }>) => void;
  /** The server wrote what the kernel refuses. */
  readonly onRejected: (command: Extract<Command, { kind: 'rejected' }>) => void;
}

/** Which steps, how fast, how compared. */
export interface Stretch {
  readonly from: number;
  /** One past the last. */
  readonly to: number;
  readonly pace: Pace;
  readonly strict: boolean;
  /** Steps that nothing else may be under way with, so that what they do can be told apart; none by default. */
  readonly isAlone?: (step: Step) => boolean;
}

const NO_UNIQUE = 0n;

/** Sends the steps of a stretch. It counts as done for a while before and after each step that is to be alone. */
export class PlanSource implements RequestSource {
  readonly #state: PlanState;
  readonly #driver: Driver;
  readonly #listener: StepListener;
  readonly #stretch: Stretch;
  readonly #schedule: Schedule;
  readonly #slab = new Slab();
  /** Steps on their way. */
  #open = 0;
  /** The step that is to be alone, and whether its turn came. */
  #alone: { readonly step: Step; readonly turn: 'waits' | 'may' | 'went' } | undefined;

  constructor(parts: { state: PlanState; driver: Driver; listener: StepListener }, stretch: Stretch) {
    this.#state = parts.state;
    this.#driver = parts.driver;
    this.#listener = parts.listener;
    this.#stretch = stretch;
    const { steps } = parts.state.plan;
    const ordered = { length: steps.length, after: (index: number) => steps.at(index)?.after ?? [] };
    this.#schedule = new Schedule(ordered, stretch.from, stretch.to);
    for (let step = stretch.from; step < stretch.to; step++)
      if (parts.state.finished[step] === 1) this.#schedule.done(step);
  }

  /** The step that is to be alone when nothing else is under way, until `resume`. */
  get alone(): Step | undefined {
    return this.#alone?.step;
  }

  /** Lets the step go that is to be alone. */
  letGo(): void {
    if (this.#alone !== undefined) this.#alone = { ...this.#alone, turn: 'may' };
  }

  /** Goes on with the other steps. */
  resume(): void {
    this.#alone = undefined;
  }

  next(): { bytes: Uint8Array; tag: number; minted: number | undefined } | undefined {
    for (;;) {
      const step = this.#ready();
      if (step === undefined || !this.#mayGo(step)) return undefined;
      this.#schedule.take();
      this.#stretch.pace.sent(step.timeNs);
      const request = this.#request(step);
      if (request !== undefined) {
        this.#open++;
        return request;
      }
      this.#schedule.done(step.index);
    }
  }

  isDone(): boolean {
    if (this.#alone === undefined) return this.#schedule.isDone;
    const { step, turn } = this.#alone;
    return this.#open === 0 && (turn === 'went' || (turn === 'waits' && this.#isNext(step)));
  }

  due(): number | undefined {
    if (this.#alone !== undefined && (this.#alone.turn === 'went' || this.#isNext(this.#alone.step)))
      return undefined;
    const index = this.#schedule.peek();
    const step = index === undefined ? undefined : this.#state.plan.steps.at(index);
    return step === undefined ? undefined : Math.max(0, this.#stretch.pace.untilMs(step.timeNs));
  }

  hear(command: Command): void {
    if (command.kind === 'send') this.#sent(command);
    else if (command.kind === 'replied') this.#replied(command);
    else if (command.kind === 'withheld') this.#withheld(command);
    else if (command.kind === 'rejected') this.#listener.onRejected(command);
  }

  #ready(): Step | undefined {
    const index = this.#schedule.peek();
    const step = index === undefined ? undefined : this.#state.plan.steps.at(index);
    return step === undefined || this.#stretch.pace.untilMs(step.timeNs) > 0 ? undefined : step;
  }

  /** While a step waits to be alone, replies may make an earlier one ready, which goes first. */
  #mayGo(step: Step): boolean {
    const alone = this.#alone;
    if (alone?.turn === 'went') return false;
    const isNext = alone?.step.index === step.index;
    if (alone === undefined || !isNext) {
      const isAlone = this.#stretch.isAlone?.(step) === true;
      this.#alone = isAlone ? { step, turn: 'waits' } : undefined;
      return !isAlone;
    }
    if (alone.turn === 'may') this.#alone = { step, turn: 'went' };
    return alone.turn === 'may';
  }

  #isNext({ index }: Step): boolean {
    return this.#schedule.peek() === index;
  }

  /** Nothing more is waited for; a reply may come all the same where none had come in the recording. */
  #end(step: number): void {
    if (this.#state.finished[step] === 0) this.#open--;
    this.#state.finished[step] = 1;
    this.#schedule.done(step);
  }

  /** The step's request, or nothing when the kernel itself sends what it stands for. */
  #request(step: Step): { bytes: Uint8Array; tag: number; minted: number | undefined } | undefined {
    const target = step.patches.find((patch) => patch.kind === 'step');
    if (target !== undefined) {
      const unique = target.step === undefined ? 0 : (this.#state.uniques[target.step] ?? 0);
      if (unique !== 0) this.#driver.event({ kind: 'interrupt', unique }, this);
      return undefined;
    }
    const bytes = this.#slab.take(step.template.length);
    bindRequest(step, this.#state.bindings, NO_UNIQUE, bytes);
    const header = step.patches.find((patch) => patch.kind === 'symbol' && patch.use.part === 'header');
    const minted = header?.kind === 'symbol' ? this.#state.mintedIn[header.symbol] : undefined;
    return { bytes, tag: step.index, minted };
  }

  #sent({ tag, unique, awaits, bytes }: Extract<Command, { kind: 'send' }>): void {
    if (tag === undefined) return;
    this.#state.uniques[tag] = unique;
    const step = this.#state.plan.steps.at(tag);
    // What was never answered in the recording is not waited for here either.
    const isAwaited = awaits && step?.answered !== false;
    if (isAwaited) return;
    if (!awaits && step !== undefined) this.#listener.onSwallowed(step, bytes);
    this.#end(tag);
  }

  #replied(replied: Replied): void {
    const step = this.#state.plan.steps.at(replied.tag);
    if (step === undefined) return;
    const stale = staleSymbols(step, this.#state);
    if (replied.errno === 0 && replied.refusal === undefined) this.#learn(step, replied.reply);
    if (stale.length > 0) this.#listener.onStale(step, replied, stale);
    else this.#listener.onCompared(step, replied, this.#compare(step, replied));
    this.#end(step.index);
  }

  #learn(step: Step, reply: Uint8Array): void {
    const { plan, bindings, mintedIn, incarnation } = this.#state;
    const surprise = learn(step, reply, bindings, plan.negotiated);
    for (const { symbol } of step.mints)
      if (!surprise?.missing.includes(symbol)) mintedIn[symbol] = incarnation;
  }

  #compare(step: Step, { reply }: Replied): Divergence | undefined {
    if (!step.answered) return undefined;
    return compareReply(step, reply, this.#state.plan.negotiated, { strict: this.#stretch.strict });
  }

  #withheld(command: Extract<Command, { kind: 'withheld' }>): void {
    const step = this.#state.plan.steps.at(command.tag);
    if (step === undefined) return;
    this.#listener.onWithheld(step, command);
    this.#end(step.index);
  }
}
