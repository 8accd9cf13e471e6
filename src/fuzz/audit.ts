/**
 * An audit of one server: a tour of it, the tour replayed with a restart under every strategy in several worlds, a short
 * campaign, and a grade. Time is shared between them; what there was no time for is told.
 */

import { statSync } from 'node:fs';
import { RelightError } from '../base/error.js';
import { strategies } from '../kernel/strategies/registry.js';
import { lift } from '../plan/lift.js';
import type { Plan } from '../plan/plan.js';
import { operations } from '../protocol/operations.js';
import type { ReplayOptions } from '../replay/options.js';
import { parsePace } from '../replay/pace.js';
import { replay } from '../replay/replay.js';
import type { TourResult } from '../replay/tour/options.js';
import { tour } from '../replay/tour.js';
import { openTrace } from '../trace/reader.js';
import type { CampaignFolder } from './campaign-folder.js';
import type { Finding, Versions } from './finding.js';
import { type FuzzResult, fuzz } from './fuzz.js';
import { type Graded, gradeOf, type Matrix } from './grade.js';
import { isChanging } from './lawful.js';
import { type AuditRun, matrixOf } from './matrix.js';
import type { StageOrders } from './stage.js';

/** What to audit, how long, and where to keep what is found. */
export interface AuditOrders {
  readonly server: Omit<StageOrders, 'depth'>;
  readonly folder: CampaignFolder;
  /** Path of the tour's trace. */
  readonly trace: string;
  /** Whether requests may change things: the store is disposable, or put back. */
  readonly mayWrite: boolean;
  readonly seconds: number;
  readonly seed: number;
  readonly versions: Versions;
}

/** Who is told what goes on. */
export interface AuditListener {
  /** `what`: a few words; `share`: how much of the time is used, from 0 to 1. */
  readonly onProgress?: (what: string, share: number) => void;
  readonly onFinding?: (finding: Finding) => void;
  readonly isStopped?: () => boolean;
}

/** What an audit came to. */
export interface AuditResult {
  readonly tour: TourResult;
  readonly runs: readonly AuditRun[];
  readonly matrix: Matrix;
  /** Absent when it could not be held. */
  readonly campaign: FuzzResult | undefined;
  readonly graded: Graded;
  readonly seed: number;
  readonly elapsedMs: number;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Parts of the time after which the tour and the replays are over: those in the first world, in the second, in others. */
const TOUR_SHARE = 0.15;
const SHARES = [1, 0.7];
const MORE_REPLAYS_SHARE = 0.45;
/** A campaign of less finds nothing; the audit takes longer instead. */
const SHORTEST_CAMPAIGN_S = 4;
/** Of the campaign's time: what is under way then may still be confirmed. */
const PLAYING_SHARE = 0.75;

/** More would only repeat what a server of many files does with the first ones. */
const TOUR_ENTRIES = 200;
/** Ids that are probed with each operation in the first world of a long audit; one in all others. */
const PROBE_LIMIT = 2;
const LONG_S = 60;
const MAX_DEATHS = 40;

/** A world that every strategy is tried in. */
type World = Pick<ReplayOptions, 'aslr' | 'relookup' | 'whileDown'>;

/** The first has to be for every strategy, the second nearly so; the next show ids that are only right by chance, for which the store has to move where it can. */
const worldsFor = (directory: boolean): readonly World[] => [
  { aslr: 'on', relookup: 'same', whileDown: undefined },
  { aslr: 'off', relookup: 'same', whileDown: undefined },
  { aslr: 'off', relookup: 'shuffled+open', whileDown: directory ? 'add-first' : undefined },
  { aslr: 'on', relookup: 'none', whileDown: directory ? 'replace' : undefined },
];

/** Audits a server. Throws a RelightError when it does not start, or cannot be replayed at all. */
export const audit = (orders: AuditOrders, listener: AuditListener = {}): Promise<AuditResult> =>
  new Audit(orders, listener).run();

class Audit {
  readonly #orders: AuditOrders;
  readonly #listener: AuditListener;
  readonly #startMs = performance.now();
  readonly #notes: string[] = [];

  constructor(orders: AuditOrders, listener: AuditListener) {
    this.#orders = orders;
    this.#listener = listener;
  }

  async run(): Promise<AuditResult> {
    const toured = await this.#tour();
    const trace = openTrace(this.#orders.trace);
    try {
      const plan = lift(trace);
      const runs = await this.#replays(plan);
      const campaign = await this.#campaign(plan, Buffer.from(trace.header.traceId).toString('hex'));
      const matrix = matrixOf(runs);
      const found = (campaign?.findings ?? []).filter(({ isHostile }) => !isHostile);
      return {
        ...{ tour: toured, runs, matrix, campaign, seed: this.#orders.seed },
        graded: limited(gradeOf({ matrix, found: found.map(({ verdict }) => verdict) }), matrix),
        elapsedMs: this.#elapsedMs,
        notes: [...new Set(this.#notes)],
      };
    } finally {
      trace.close();
    }
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** From 0 to 1, and beyond when it is late. */
  get #share(): number {
    return this.#elapsedMs / (this.#orders.seconds * 1000);
  }

  get #isStopped(): boolean {
    return this.#listener.isStopped?.() === true;
  }

  async #tour(): Promise<TourResult> {
    const { server, trace, mayWrite, seed } = this.#orders;
    const controller = new AbortController();
    const result = await tour({
      ...{ trace, command: server.command, seed, signal: controller.signal },
      ...(server.cwd !== undefined && { cwd: server.cwd }),
      writing: mayWrite ? 'remove' : 'none',
      limits: { entries: TOUR_ENTRIES },
      startTimeoutMs: server.startTimeoutMs,
      onProgress: () => {
        this.#listener.onProgress?.('touring', this.#share);
        if (this.#isStopped || this.#share > TOUR_SHARE) controller.abort();
      },
    });
    if (result.ending !== 'done') this.#notes.push(tourNote(result));
    return result;
  }

  async #replays(plan: Plan): Promise<AuditRun[]> {
    const runs: AuditRun[] = [];
    let failure: RelightError | undefined;
    let leftOut = 0;
    for (const [index, world] of worldsFor(isDirectory(this.#orders.server.snapshot[0])).entries())
      for (const strategy of strategies) {
        if (this.#isStopped || this.#share > (SHARES[index] ?? MORE_REPLAYS_SHARE)) {
          leftOut++;
          continue;
        }
        this.#listener.onProgress?.(`strategy ${strategy.name}, ${worldText(world)}`, this.#share);
        try {
          const probeLimit = index === 0 && this.#orders.seconds >= LONG_S ? PROBE_LIMIT : 1;
          const options = { ...this.#replayOptions(plan), ...world, probeLimit };
          const result = await replay(plan, { ...options, strategy });
          this.#notes.push(...result.notes);
          runs.push({ ...world, result });
        } catch (error) {
          if (!(error instanceof RelightError)) throw error;
          failure ??= error;
          this.#notes.push(`not replayed under ${strategy.name}, ${worldText(world)}: ${error.message}`);
        }
      }
    if (leftOut > 0)
      this.#notes.push(`${leftOut} of ${leftOut + runs.length} replays were left out for want of time`);
    const missed = strategies.filter(({ name }) => !runs.some(({ result }) => result.strategy === name));
    if (missed.length > 0)
      this.#notes.push(
        `never tried, so the grade is not about: ${missed.map(({ name }) => name).join(', ')}`,
      );
    if (runs.length === 0 && failure !== undefined) throw failure;
    return runs;
  }

  #replayOptions({ steps }: Plan): Omit<ReplayOptions, 'strategy' | 'probeLimit' | keyof World> {
    const { server, mayWrite, seed } = this.#orders;
    const { command, cwd, sandbox, snapshot, replyTimeoutMs, startTimeoutMs } = server;
    return {
      ...{ command, cwd, sandbox, snapshot, replyTimeoutMs, startTimeoutMs, seed },
      ...{ depth: 1, pace: parsePace('max'), strict: false, signal: 'SIGKILL' as const },
      restarts: [{ index: steps.length, moment: 'before' }],
      ...{ setup: undefined, between: undefined, maxDeaths: MAX_DEATHS },
      ...{ probes: mayWrite ? 'write' : 'read' },
    };
  }

  async #campaign(plan: Plan, material: string): Promise<FuzzResult | undefined> {
    const { server, folder, seed, versions, mayWrite } = this.#orders;
    const left = this.#orders.seconds - this.#elapsedMs / 1000;
    const seconds = Math.max(SHORTEST_CAMPAIGN_S, left * PLAYING_SHARE);
    const endMs = performance.now() + Math.max(SHORTEST_CAMPAIGN_S, left) * 1000;
    const ops = mayWrite ? [] : operations.filter((op) => !isChanging(op)).map(({ name }) => name);
    if (this.#isStopped) return undefined;
    try {
      return await fuzz(
        {
          ...{ server, plan, material, ops, seed, folder, versions },
          ...{ mutate: [], limits: { cases: undefined, seconds }, resume: false },
        },
        {
          onProgress: ({ cases, findings }) =>
            this.#listener.onProgress?.(`fuzzing: ${cases} cases, ${findings} findings`, this.#share),
          onFinding: (finding) => this.#listener.onFinding?.(finding),
          isStopped: () => this.#isStopped || performance.now() > endMs,
        },
      );
    } catch (error) {
      if (!(error instanceof RelightError)) throw error;
      this.#notes.push(`not fuzzed: ${error.message}`);
      return undefined;
    }
  }
}

/** A grade says of how many strategies it speaks when not all were tried. */
const limited = ({ grade, why }: Graded, { size }: Matrix): Graded => ({
  grade,
  why: size === strategies.length ? why : `${why} (${size} of ${strategies.length} strategies tried)`,
});

const worldText = ({ aslr, relookup, whileDown }: World): string =>
  [
    aslr === 'on' ? 'addresses at random' : 'fixed addresses',
    `${relookup} looked up`,
    ...(whileDown === undefined ? [] : [`${whileDown} while down`]),
  ].join(', ');

const tourNote = ({ ending, underWay }: TourResult): string => {
  const at = underWay === undefined ? '' : ` at ${underWay}`;
  if (ending === 'died') return `the server died on the tour${at}, before any restart`;
  return ending === 'hang'
    ? `the server fell silent on the tour${at}, before any restart`
    : 'the tour was cut short';
};

const isDirectory = (path: string | undefined): boolean =>
  path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
