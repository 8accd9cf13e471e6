/**
 * A campaign: life after life of one server, batch after batch of cases, what they came to, whose fault it was when
 * something broke, and what triage made of it. It knows the server only as a ground, and time only to stop.
 */

import { type Rng, rng } from '../base/rng.js';
import type { Verdict } from '../oracle/verdict.js';
import type { Case } from './case.js';
import type { Environment } from './environment.js';
import type { Finding } from './finding.js';
import type { Ground, Played, Trouble } from './ground.js';
import { Growth } from './growth.js';
import { Ledger, type LedgerState } from './ledger.js';
import type { Arm, Scheduler } from './scheduler.js';
import { findGuilty } from './split.js';
import { type Suspect, signatureOf, type Triage } from './triage.js';

/** When to stop; the first that is reached. Without both it goes on until it is stopped. */
export interface Limits {
  readonly cases: number | undefined;
  readonly seconds: number | undefined;
}

/** What a campaign works with. */
export interface CampaignParts {
  readonly ground: Ground;
  readonly scheduler: Scheduler;
  readonly triage: Triage;
  /** A case of an arm; `undefined` when the plan has nothing for it. Random numbers come from `random` alone. */
  readonly makeCase: (arm: Arm, random: Rng) => Case | undefined;
  /** The world of the nth life. */
  readonly environmentOf: (life: number, random: Rng) => Environment;
  readonly seed: number;
  readonly limits: Limits;
  /** What an earlier session of the same campaign came to; it must have had the same arms. */
  readonly resumed?: CampaignState;
  /** Told after every batch and every look into a suspect. */
  readonly onProgress?: (status: CampaignStatus) => void;
  /** Told after every life: what it takes to go on later as if nothing had come between. */
  readonly onLife?: (state: CampaignState) => void;
  /** Told of a finding as soon as it is believed. */
  readonly onFinding?: (finding: Finding) => void;
  /** True when somebody wants it to end. */
  readonly isStopped?: () => boolean;
}

/** Where a campaign is. */
export interface CampaignStatus {
  readonly seed: number;
  readonly cases: number;
  readonly batches: number;
  /** Lives of the server, those for finding the guilty case among them. */
  readonly restarts: number;
  /** Runs of triage, each on servers of its own. */
  readonly trials: number;
  readonly elapsedMs: number;
  /** Time in which cases were played, without looking into suspects. */
  readonly playedMs: number;
  /** Combinations of operation, mutator, relation, verdict, errno and message. */
  readonly combinations: number;
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  readonly findings: number;
  /** Signatures that did not show again often enough. */
  readonly dismissed: number;
  readonly notes: readonly string[];
}

/** What it takes to go on with a campaign. Findings and what the scheduler learnt are kept by others. */
export interface CampaignState {
  readonly ledger: LedgerState;
  /** Cases of the next batch. */
  readonly size: number;
}

const FIRST_BATCH = 64;
const LARGEST_BATCH = 1024;
const SMALLEST_BATCH = 16;
/** Batches of one life: so that environments change and memory does not grow without end. */
const BATCHES_A_LIFE = 16;
/** Lives in a row that do not come up before the campaign is given up. */
const MOST_FAILURES = 3;
/** Draws without any case before a life has nothing to try. */
const MOST_EMPTY = 10_000;
/** Lives in a row with nothing to try before the campaign ends: an older session may lack the one operation that is wanted. */
const MOST_IDLE = 3;
/** Suspects of one signature in a life: what one did may have come from what others left behind. */
const MOST_ALIKE = 4;
/** Odd and large, so that the numbers of neighbouring batches lead to unlike streams (Knuth, multiplicative hashing). */
const SPREAD = 0x9e37_79b1;

interface Batch {
  readonly cases: readonly Case[];
  /** Arm of each case. */
  readonly arms: readonly number[];
}

/** One campaign; run it once. */
export class Campaign {
  readonly #parts: CampaignParts;
  readonly #ledger: Ledger;
  readonly #notes: string[] = [];
  readonly #growth = new Growth();
  #size: number;
  #failures = 0;
  /** Lives in a row that had nothing to try. */
  #idle = 0;

  constructor(parts: CampaignParts) {
    this.#parts = parts;
    this.#ledger = new Ledger(parts.resumed?.ledger);
    this.#size = parts.resumed?.size ?? FIRST_BATCH;
  }

  /** Where it is now. */
  get status(): CampaignStatus {
    const { seed, triage } = this.#parts;
    const { cases, batches, restarts, elapsedMs, playedMs, combinations, verdicts } = this.#ledger;
    return {
      ...{ seed, cases, batches, restarts, elapsedMs, playedMs, combinations, verdicts },
      trials: triage.trials,
      findings: triage.findings.length,
      dismissed: triage.dismissed.size,
      notes: [...this.#notes, ...this.#growth.notes],
    };
  }

  /** Goes on until a limit is reached, nothing is left to try, or the server does not come up any more. */
  async run(): Promise<CampaignStatus> {
    while (!this.#isOver) await this.#live();
    return this.status;
  }

  get #isOver(): boolean {
    const { limits, isStopped } = this.#parts;
    if (this.#idle >= MOST_IDLE || this.#failures >= MOST_FAILURES || isStopped?.() === true) return true;
    if (limits.cases !== undefined && this.#ledger.cases >= limits.cases) return true;
    return this.#isTimeUp;
  }

  get #isTimeUp(): boolean {
    const { seconds } = this.#parts.limits;
    return seconds !== undefined && this.#ledger.elapsedMs >= seconds * 1000;
  }

  async #live(): Promise<void> {
    const { environmentOf } = this.#parts;
    const environment = environmentOf(this.#ledger.lives, this.#stream(this.#ledger.lives, 'life'));
    this.#ledger.lives++;
    const suspects = (await this.#begin(environment)) ? await this.#playLife(environment) : [];
    this.#growth.ended();
    await this.#considerAll(suspects);
    this.#parts.onLife?.({ ledger: this.#ledger.state, size: this.#size });
  }

  async #begin(environment: Environment): Promise<boolean> {
    this.#ledger.restarts++;
    const began = await this.#parts.ground.begin(environment);
    if (began.kind === 'up') this.#failures = 0;
    else if (++this.#failures >= MOST_FAILURES) this.#notes.push(`given up: ${began.why}`);
    return began.kind === 'up';
  }

  async #playLife(environment: Environment): Promise<Suspect[]> {
    const suspects: Suspect[] = [];
    for (let count = 0; count < BATCHES_A_LIFE && !this.#isOver; count++) {
      const batch = this.#draw();
      if (batch.cases.length === 0) {
        this.#idle++;
        break;
      }
      this.#idle = 0;
      const played = await this.#play(batch.cases);
      this.#growth.took(batch.cases.length, this.#parts.ground.holdings);
      this.#ledger.cases += batch.cases.length;
      this.#ledger.batches++;
      this.#learn(batch, played);
      for (const { index, judgement } of played.suspicions) {
        const cases = batch.cases.slice(index, index + 1);
        if (isWanted(suspects, signatureOf(judgement))) suspects.push({ cases, environment, judgement });
      }
      this.#parts.onProgress?.(this.status);
      if (played.trouble === undefined) {
        this.#size = Math.min(LARGEST_BATCH, this.#size * 2);
        continue;
      }
      this.#size = Math.max(SMALLEST_BATCH, this.#size >> 1);
      const guilty = await this.#blame(batch, played.trouble, environment);
      return guilty === undefined ? suspects : [guilty, ...suspects];
    }
    return suspects;
  }

  async #play(cases: readonly Case[]): Promise<Played> {
    const before = performance.now();
    const played = await this.#parts.ground.play(cases);
    this.#ledger.playedMs += performance.now() - before;
    return played;
  }

  /** A batch of the present size; shorter when the limit is near or arms have nothing to try. */
  #draw(): Batch {
    const { scheduler, makeCase, limits } = this.#parts;
    const random = this.#stream(this.#ledger.batches, 'batch');
    const left =
      limits.cases === undefined ? this.#size : Math.min(this.#size, limits.cases - this.#ledger.cases);
    const cases: Case[] = [];
    const arms: number[] = [];
    for (let empty = 0; cases.length < left && empty < MOST_EMPTY; ) {
      const index = scheduler.next(random);
      const arm = index === undefined ? undefined : scheduler.arms[index];
      if (index === undefined || arm === undefined) break;
      const made = makeCase(arm, random);
      if (made === undefined) {
        scheduler.saw(index, 'nothing');
        empty++;
        continue;
      }
      cases.push(made);
      arms.push(index);
    }
    return { cases, arms };
  }

  #learn({ arms }: Batch, { observations }: Played): void {
    for (const [index, observation] of observations.entries()) {
      const arm = arms[index];
      if (observation === undefined || arm === undefined) continue;
      this.#parts.scheduler.saw(arm, this.#ledger.observe(observation) ? 'new' : 'known');
    }
  }

  /** Finds the cases that did it, unless the same suspect did the same before. */
  async #blame(batch: Batch, trouble: Trouble, environment: Environment): Promise<Suspect | undefined> {
    const { scheduler } = this.#parts;
    const [first] = trouble.suspects;
    const isBlamed = first !== undefined && this.#ledger.isBlamed(blameOf(trouble, batch.cases[first]));
    if (isBlamed) {
      scheduler.saw(batch.arms[first] ?? -1, 'costly');
      return undefined;
    }
    const guilt = await findGuilty({ count: batch.cases.length, suspects: trouble.suspects }, (cases) =>
      this.#attempt(pick(batch.cases, cases), environment),
    );
    const { judgement } = guilt?.failure ?? trouble;
    if (guilt === undefined) {
      if (this.#parts.isStopped?.() !== true)
        this.#notes.push(`seen once and not again: ${signatureOf(judgement)}`);
      return undefined;
    }
    for (const index of guilt.cases) scheduler.saw(batch.arms[index] ?? -1, 'costly');
    const last = guilt.cases.at(-1);
    if (last !== undefined) this.#ledger.blame(blameOf(guilt.failure, batch.cases[last]));
    return { cases: pick(batch.cases, guilt.cases), environment, judgement };
  }

  /** Tries some cases on a life of their own. */
  async #attempt(cases: readonly Case[], environment: Environment): Promise<Trouble | undefined> {
    const isStopped = this.#parts.isStopped?.() === true;
    if (isStopped || !(await this.#begin(environment))) return undefined;
    return (await this.#play(cases)).trouble;
  }

  /** Verdicts that no finding has yet come before others, and are looked into although the time is up. */
  async #considerAll(suspects: readonly Suspect[]): Promise<void> {
    const left = [...suspects];
    while (left.length > 0 && this.#parts.isStopped?.() !== true) {
      const verdicts = new Set(this.#parts.triage.findings.map(({ verdict }) => verdict));
      const fresh = left.findIndex(({ judgement }) => !verdicts.has(judgement.verdict));
      if (fresh < 0 && this.#isTimeUp) return;
      const [suspect] = left.splice(Math.max(fresh, 0), 1);
      if (suspect !== undefined) await this.#consider(suspect);
    }
  }

  async #consider(suspect: Suspect): Promise<void> {
    const { triage, onFinding, onProgress } = this.#parts;
    if (triage.isKnown(suspect.judgement)) return;
    const triaged = await triage.consider(suspect);
    if (triaged.kind === 'finding') onFinding?.(triaged.finding);
    onProgress?.(this.status);
  }

  /** Random numbers of one batch or life: they depend on the seed and its number alone. */
  #stream(number: number, of: 'batch' | 'life'): Rng {
    return rng(this.#parts.seed ^ Math.imul(number * 2 + (of === 'life' ? 1 : 0) + 1, SPREAD));
  }
}

const pick = (cases: readonly Case[], indices: readonly number[]): Case[] =>
  indices.flatMap((index) => cases[index] ?? []);

/** Whether a life has too few suspects of a kind yet. */
const isWanted = (suspects: readonly Suspect[], signature: string): boolean =>
  suspects.filter(({ judgement }) => signatureOf(judgement) === signature).length < MOST_ALIKE;

const blameOf = ({ judgement }: Trouble, suspect: Case | undefined): string =>
  `${signatureOf(judgement)}\n${suspect?.op}\n${suspect?.mutator}`;
