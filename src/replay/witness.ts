/**
 * Who knows what the objects of a run are like: looks at them before and after stale ids are used, and gives the oracle what
 * was seen. It decides nothing and starts no server.
 */

import { type Rng, rng } from '../base/rng.js';
import { judgeEffects, judgeTwice } from '../oracle/effects.js';
import { judgeLiveIds } from '../oracle/live-ids.js';
import type { Probe } from '../oracle/probe.js';
import { completed, type Judgement } from '../oracle/verdict.js';
import type { Driver } from './driver.js';
import { endingOf } from './ending.js';
import { failedIn, liveUses, observed, type Seen, type Subjects } from './evidence.js';
import { Inspector } from './inspector.js';
import type { Judging } from './judging.js';
import type { ReplayOptions } from './options.js';
import type { PlanState } from './plan-source.js';
import type { LiveObject, Sighting } from './sighting.js';

/** Objects that are looked at at most. */
const MOST = 256;

/** What a witness works with. */
export interface WitnessParts {
  readonly options: ReplayOptions;
  readonly state: PlanState;
  readonly driver: Driver;
  readonly judging: Judging;
}

/** A request with stale ids, and what was judged of it so far. */
export interface Case {
  readonly probe: Probe;
  readonly judgement: Judgement;
  /** What `before` gave. */
  readonly before: readonly Sighting[];
}

/** The witness of one replay. */
export class Witness {
  readonly #parts: WitnessParts;
  readonly #paths: readonly string[];
  readonly #rng: Rng;
  /** What the running incarnation handed out. */
  #objects: readonly LiveObject[] = [];
  #latest: readonly Sighting[] = [];
  /** What an incarnation saw that met no stale id; absent until it was needed. */
  #undisturbed: readonly Sighting[] | undefined;
  #isStoreChanged = false;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
    this.#rng = rng(parts.options.seed);
    this.#paths = [...parts.state.plan.symbols]
      .flatMap(({ kind, path }) => (kind === 'node' && path !== undefined && path.length > 1 ? [path] : []))
      .slice(0, MOST);
  }

  /** True when nothing may be looked up before stale ids are used. */
  get isBlind(): boolean {
    return this.#parts.options.relookup === 'none';
  }

  /** A new incarnation: looks up, opens and reads what the orders say. */
  async arrive(isStoreChanged: boolean): Promise<void> {
    const { options, driver } = this.#parts;
    this.#isStoreChanged ||= isStoreChanged;
    this.#objects = this.isBlind
      ? []
      : await new Inspector(driver).look(this.#paths, options.relookup, this.#rng);
    this.#meet(await this.#read());
  }

  /** Looks at everything in an incarnation that meets no stale id, for comparisons with those that do. */
  async lookUndisturbed(): Promise<void> {
    this.#undisturbed = await this.look();
    this.#meet(this.#undisturbed);
  }

  /** Looks everything up and reads it, as it is now. */
  async look(): Promise<readonly Sighting[]> {
    this.#objects = await new Inspector(this.#parts.driver).look(this.#paths, 'same', this.#rng);
    return this.#read();
  }

  /** What the objects are like before a stale id is used: nothing is asked for it. */
  before(): readonly Sighting[] {
    return this.isBlind ? (this.#undisturbed ?? []) : this.#latest;
  }

  /** A judgement on a request that gave a stale id back, after every live id was used. */
  async released(one: Case): Promise<Judgement> {
    return this.#withLiveIds(one, await this.#seen(one.before));
  }

  /** A judgement on a request that was to change something, after everything was read again. */
  async changed(one: Case, subjects: Subjects, acknowledged: boolean): Promise<Judgement> {
    const seen = await this.#seen(one.before);
    const { judging } = this.#parts;
    if (failedIn(seen.after) !== undefined) return this.#withLiveIds(one, seen);
    const objects = observed(seen, subjects, judging.keyOf);
    return completed(one.judgement, judgeEffects(one.probe, { objects, acknowledged }, judging.scene()));
  }

  /**
   * A judgement on a request that was sent again after its first sending had been carried out and its reply was lost; `before`
   * is what an earlier incarnation saw before that. `errno` is what the application hears now.
   */
  async resent(one: Case, subjects: Subjects, errno: number): Promise<Judgement> {
    const { judging } = this.#parts;
    const after = await this.look();
    const seen = { before: one.before, after, isAcrossRestart: true };
    if (failedIn(after) !== undefined) return this.#withLiveIds(one, seen);
    const objects = observed(seen, subjects, judging.keyOf);
    const scene = judging.scene();
    const effects = judgeEffects(one.probe, { objects, acknowledged: errno === 0 }, scene);
    return completed(
      completed(one.judgement, effects),
      judgeTwice(one.probe, { objects, error: errno }, scene),
    );
  }

  async #withLiveIds({ probe, judgement }: Case, seen: Seen): Promise<Judgement> {
    const { judging } = this.#parts;
    const uses = liveUses(seen, judging.keyOf, await this.#failing(seen));
    return completed(judgement, judgeLiveIds(probe, uses, judging.scene()));
  }

  async #seen(before: readonly Sighting[]): Promise<Seen> {
    // A FORGET has no reply: this one comes after it.
    await new Inspector(this.#parts.driver).isAlive();
    const after = this.isBlind ? await this.look() : await this.#read();
    return { before, after, isAcrossRestart: this.isBlind };
  }

  async #failing({ after }: Seen): Promise<Parameters<typeof liveUses>[2]> {
    const { driver, options } = this.#parts;
    const exit = failedIn(after) === 'ended' ? (await endingOf(driver)).exit : undefined;
    return { exit, waitedMs: options.replyTimeoutMs };
  }

  async #read(): Promise<readonly Sighting[]> {
    this.#latest = await new Inspector(this.#parts.driver).read(this.#objects);
    return this.#latest;
  }

  /** Tells the judge what now stands at the paths, before anything stale was used. */
  #meet(sightings: readonly Sighting[]): void {
    const { judging, state } = this.#parts;
    const when = { incarnation: state.incarnation, isStoreChanged: this.#isStoreChanged };
    for (const { object, state: now } of sightings) {
      const key = judging.identities.keyAt(object.path);
      if (key === undefined || now.scalars.type === undefined) continue;
      const data = now.data && { offset: 0n, bytes: now.data, asked: now.data.length };
      judging.identities.meet(key, { scalars: now.scalars, ...(data && { data }) }, when);
    }
  }
}
