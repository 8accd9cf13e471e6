/**
 * Which steps must come before which: a request waits for the replies that mint what it uses, and for whatever preceded
 * it on the same object with an effect. Requests that were under way together in the recording do not wait for each
 * other, since one may be what ends the other (a lock that is waited for).
 */

import { Column } from '../kernel/column.js';
import { type Access, accessTo, reachOf, truncates } from './access.js';
import { Antichain } from './antichain.js';
import type { StepStore } from './step-store.js';
import type { SymbolStore } from './symbol-store.js';

/**
 * Readers of an object after which the next one waits for all of them, so that a later writer has one step to wait for
 * and not a million, and the next writer not again.
 */
const MOST_READERS = 512;
/** Steps whose own predecessors are left out of a list; longer lists are rare and would cost more than they save. */
const SHORT = 16;

/** Fills in what comes before each step. */
export const orderSteps = (steps: StepStore, symbols: SymbolStore): void =>
  new Ordering(steps, symbols).run();

class Ordering {
  readonly #steps: StepStore;
  readonly #symbols: SymbolStore;
  readonly #writers = new Antichain();
  readonly #readers = new Antichain();
  /** Reader that will stand for all readers of an object once it is answered, plus one. */
  readonly #joints = new Column();
  /** Answered steps since the last barrier, in the order of their answers. */
  #frontier: number[] = [];
  #barriers: number[] = [];
  /** 1 for a step that an answered one comes after. */
  readonly #covered = new Column();
  #answersTaken = 0;
  /** What the step at hand comes after; and marks (the step plus one) against duplicates and what follows from others. */
  readonly #found: number[] = [];
  readonly #foundFor = new Column();
  readonly #impliedFor = new Column();

  constructor(steps: StepStore, symbols: SymbolStore) {
    this.#steps = steps;
    this.#symbols = symbols;
  }

  run(): void {
    for (let step = 0; step < this.#steps.length; step++) {
      this.#takeAnswers(step);
      this.#send(step);
      if (this.#isSilent(step)) this.#settle(step);
    }
  }

  /** Requests without an answer count as answered when they are sent. */
  #isSilent(step: number): boolean {
    return this.#steps.opOf(step)?.replyRule === 'never';
  }

  /** The answers that came before a step was sent. */
  #takeAnswers(step: number): void {
    const steps = this.#steps;
    for (; this.#answersTaken < steps.answerCount; this.#answersTaken++) {
      const answered = steps.answeredAt(this.#answersTaken);
      if (steps.answeredBefore(answered) > step) return;
      if (!this.#isSilent(answered)) this.#settle(answered);
    }
  }

  #send(step: number): void {
    this.#found.length = 0;
    if (this.#isBarrier(step)) {
      for (const before of this.#frontier) if (this.#covered.get(before) === 0) this.#wait(step, before);
    }
    this.#eachAccess(step, (object, access) => this.#waitFor(step, object, access));
    for (const barrier of this.#barriers) {
      const after = this.#endOf(barrier);
      if (!this.#found.some((before) => before >= after)) this.#wait(step, barrier);
    }
    this.#write(step);
  }

  #waitFor(step: number, object: number, access: Access): void {
    this.#writers.each(object, (before) => this.#wait(step, before));
    if (access === 'read' && !this.#becomesJoint(step, object)) return;
    this.#readers.each(object, (before) => this.#wait(step, before));
  }

  #becomesJoint(step: number, object: number): boolean {
    if (this.#readers.sizeOf(object) < MOST_READERS || this.#joints.get(object) !== 0) return false;
    if (!this.#steps.isAnswered(step) || reachOf(this.#steps.opOf(step)) === 'free') return false;
    this.#joints.set(object, step + 1);
    return true;
  }

  #wait(step: number, before: number): void {
    if (before === step || this.#foundFor.get(before) === step + 1) return;
    this.#foundFor.set(before, step + 1);
    this.#found.push(before);
  }

  /** Writes down what was found, without what follows from the rest. */
  #write(step: number): void {
    const steps = this.#steps;
    const found = this.#found.sort((a, b) => a - b);
    for (const before of found) {
      if (steps.afterCount(before) <= SHORT)
        steps.eachAfter(before, (implied) => this.#impliedFor.set(implied, step + 1));
    }
    for (const before of found) {
      if (this.#impliedFor.get(before) !== step + 1) steps.order(step, before);
    }
  }

  /** Index of the first step that was sent after a step was over. */
  #endOf(step: number): number {
    return this.#isSilent(step) ? step + 1 : this.#steps.answeredBefore(step);
  }

  /** A step is over: later ones may have to wait for it, and need not wait for what it waited for. */
  #settle(step: number): void {
    const isPast = (other: number): boolean => this.#endOf(other) <= step;
    if (reachOf(this.#steps.opOf(step)) !== 'free') {
      this.#eachAccess(step, (object, access) => this.#note(step, object, access, isPast));
    }
    this.#steps.eachAfter(step, (before) => this.#covered.set(before, 1));
    if (this.#isBarrier(step)) {
      this.#frontier = this.#frontier.filter((other) => !isPast(other));
      this.#barriers = this.#barriers.filter((other) => !isPast(other));
      this.#barriers.push(step);
    }
    this.#frontier.push(step);
  }

  #note(step: number, object: number, access: Access, isPast: (other: number) => boolean): void {
    const isJoint = this.#joints.get(object) === step + 1;
    if (isJoint) this.#joints.set(object, 0);
    if (isJoint || access === 'write') this.#readers.prune(object, isPast);
    if (access === 'write') this.#writers.prune(object, isPast);
    (access === 'write' ? this.#writers : this.#readers).add(object, step);
  }

  #isBarrier(step: number): boolean {
    return reachOf(this.#steps.opOf(step)) === 'barrier' && !this.#steps.isFailed(step);
  }

  /** What failed in the recording changed nothing, except that a handle is gone whatever RELEASE says. */
  #eachAccess(step: number, visit: (object: number, access: Access) => void): void {
    const steps = this.#steps;
    const symbols = this.#symbols;
    const op = steps.opOf(step);
    const failed = steps.isFailed(step);
    const empties = !failed && op?.effect === 'handle' && truncates(op, steps.templateOf(step));
    steps.eachPatched(step, (symbol, use) => {
      const object = symbols.objectOf(symbol);
      if (failed && use.act !== 'release') visit(object, 'read');
      else visit(object, empties && use.kind === 'node' ? 'write' : accessTo(op, use));
    });
    steps.eachAffected(step, (symbol) => visit(symbols.objectOf(symbol), 'write'));
    steps.eachMinted(step, (symbol) =>
      visit(symbols.objectOf(symbol), symbols.mintedBy(symbol) === step ? 'write' : 'read'),
    );
  }
}
