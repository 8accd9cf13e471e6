/**
 * The plan's own use of stale ids after a restart: each such step is judged by its reply, and one that may have changed or
 * broken something goes alone, between two looks at what is known. It uses no id on purpose.
 */

import type { Replied } from '../kernel/conversation.js';
import { changesSomething, needsWitness } from '../oracle/judge.js';
import type { Outcome, Probe } from '../oracle/probe.js';
import type { Judgement } from '../oracle/verdict.js';
import type { Step } from '../plan/plan.js';
import type { AftermathParts } from './aftermath.js';
import type { DriveEnd } from './driver.js';
import { failedIn, type Subjects } from './evidence.js';
import { type PlanSource, staleSymbols } from './plan-source.js';
import type { Sighting } from './sighting.js';

/** Objects are looked at so often in all, some ten seconds' worth; a plan may have a million stale steps. */
const MOST_SIGHTINGS = 200_000;

/** How a drive of the plan ended; `spoilt`: by what was judged already. */
export type CourseEnd = DriveEnd | { readonly kind: 'spoilt' };

/** A stale step as it was sent. */
interface Used {
  readonly step: Step;
  readonly probe: Probe;
  readonly judgement: Judgement;
  readonly outcome: Outcome;
  /** Absent where no reply is due. */
  readonly replied: Replied | undefined;
}

/** The kernel looked the path up before it used the node: the stale id was not sent. */
const foundAnew = { kind: 'withheld', by: 'a fresh lookup of the path' } as const;

/** The course of one plan. */
export class Course {
  readonly #parts: AftermathParts;
  /** The step that goes alone. */
  #watched: Step | undefined;
  #used: Used | undefined;
  readonly #suspects = new Set<number>();
  #sightings = 0;
  #unwatched = 0;

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  /** Stale steps that were not looked after any more. */
  get unwatched(): number {
    return this.#unwatched;
  }

  /** Whether a step has to go alone. */
  readonly isAlone = (step: Step): boolean => {
    const { state } = this.#parts;
    if (this.#suspects.has(step.index)) return true;
    if (state.incarnation === 0 || !needsWitness(step.op)) return false;
    if (staleSymbols(step, state).length === 0) return false;
    if (this.#sightings < MOST_SIGHTINGS) return true;
    this.#unwatched++;
    return false;
  };

  /**
   * Takes steps that were under way together when the server ended: most of them were never read, and each is sent once more,
   * alone, to tell whose fault it was. Those that were alone already, or whose effect might be repeated, are not taken.
   */
  suspect(held: readonly Step[]): ReadonlySet<Step> {
    const { state } = this.#parts;
    const suspects = held.length < 2 ? [] : held.filter((step) => this.#isHarmless(step));
    for (const { index } of suspects) {
      this.#suspects.add(index);
      state.uniques[index] = 0;
    }
    return new Set(suspects);
  }

  /** Drives the steps of a source, and looks at what is known around those that go alone. */
  async drive(source: PlanSource): Promise<CourseEnd> {
    for (;;) {
      const end = await this.#parts.driver.drive(source);
      const step = source.alone;
      if (end.kind !== 'done' || step === undefined) return end;
      const spoilt = await this.#watch(source, step);
      if (spoilt !== undefined) return spoilt;
      source.resume();
    }
  }

  /** A step with stale ids was answered. */
  answered(step: Step, replied: Replied): void {
    const { reply: bytes, refusal, request } = replied;
    this.#take(step, { request, outcome: { kind: 'reply', bytes, refusal }, replied });
  }

  /** A step was sent that gets no answer. */
  swallowed(step: Step, request: Uint8Array): void {
    const { state, witness } = this.#parts;
    if (staleSymbols(step, state).length === 0) witness.stir(step);
    else this.#take(step, { request, outcome: { kind: 'swallowed' }, replied: undefined });
  }

  #take(
    step: Step,
    { request, outcome, replied }: Pick<Used, 'outcome' | 'replied'> & { readonly request: Uint8Array },
  ): void {
    const { judging } = this.#parts;
    const probe = judging.ofStep(step, request);
    if (probe.stale.length === 0) return judging.keep(judging.judge(probe, foundAnew));
    const used = { step, probe, judgement: judging.judge(probe, outcome), outcome, replied };
    if (step === this.#watched) this.#used = used;
    else {
      this.#keep(used);
      this.#parts.witness.stir(step);
    }
    return undefined;
  }

  async #watch(source: PlanSource, step: Step): Promise<CourseEnd | undefined> {
    const { witness, judging, driver } = this.#parts;
    const before = needsWitness(step.op) ? await witness.watch() : [];
    this.#sightings += before.length;
    const failed = failedIn(before);
    if (failed !== undefined) return { kind: failed === 'ended' ? 'died' : 'hang' };
    const subjects = judging.subjectsOf(step);
    this.#watched = step;
    source.letGo();
    const end = await driver.drive(source);
    this.#watched = undefined;
    const used = this.#taken();
    if (used !== undefined) this.#keep({ ...used, judgement: await this.#follow(used, before, subjects) });
    if (driver.server === undefined) return { kind: 'spoilt' };
    return end.kind === 'done' ? undefined : end;
  }

  #isHarmless(step: Step): boolean {
    return !needsWitness(step.op) && staleSymbols(step, this.#parts.state).length > 0;
  }

  #taken(): Used | undefined {
    const used = this.#used;
    this.#used = undefined;
    return used;
  }

  async #follow(
    { step, probe, judgement, outcome, replied }: Used,
    before: readonly Sighting[],
    subjects: Subjects,
  ): Promise<Judgement> {
    const { witness } = this.#parts;
    if (!needsWitness(step.op)) return judgement;
    const isGood = outcome.kind === 'swallowed' || replied?.errno === 0;
    // What is refused gives nothing back, but may have changed something before it failed.
    if (!isGood && !changesSomething(step.op)) return judgement;
    witness.stir(step);
    return witness.followed({ probe, judgement, before }, subjects, isGood);
  }

  /** Keeps a judgement; what is known of objects follows what the step did, as far as that could be seen. */
  #keep({ step, judgement, replied }: Used): void {
    const { judging, state } = this.#parts;
    judging.keep(judgement);
    if (replied?.errno !== 0 || !changesSomething(step.op)) return;
    if (judgement.verdict === 'recovered') judging.learn(step, replied);
    else if (judgement.verdict === 'unknown') judging.identities.unanswered(step, state.incarnation);
  }
}
