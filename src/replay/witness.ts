/**
 * Who knows what the objects of a run are like: looks at them before and after stale ids are used, and gives the oracle what
 * was seen. It decides nothing and starts no server.
 */

import { nodeId } from '../base/ids.js';
import { type Rng, rng } from '../base/rng.js';
import { judgeEffects, judgeTwice } from '../oracle/effects.js';
import { changesSomething } from '../oracle/judge.js';
import { judgeLiveIds } from '../oracle/live-ids.js';
import { operationIn, type Probe } from '../oracle/probe.js';
import type { ObjectKey } from '../oracle/seen.js';
import { completed, type Judgement } from '../oracle/verdict.js';
import { ROOT_SYMBOL, type Step } from '../plan/plan.js';
import type { Driver } from './driver.js';
import { endingOf } from './ending.js';
import { failedIn, isBelow, liveUses, observed, type Seen, type Subjects } from './evidence.js';
import { Inspector, root } from './inspector.js';
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
  /** Who stood at a path when this incarnation came, and whom it told the plan of since. */
  readonly #keys = new Map<string, ObjectKey>();
  /** All known objects as they were last; absent when something may have changed since. */
  #current: readonly Sighting[] | undefined;
  /** Other objects may be known now than when all were looked at last. */
  #isOthers = false;
  /** Where names were taken away or moved since, by steps whose names are not read yet, and by those that are. */
  #movers: Step[] = [];
  #moved: string[] = [];

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
    this.#keys.clear();
    this.#current = undefined;
    this.#movers = [];
    this.#moved = [];
    this.#objects = this.isBlind
      ? []
      : await new Inspector(driver).look(this.#paths, options.relookup, this.#rng);
    this.#meet(await this.#read());
    for (const { path } of this.#objects) this.#keys.set(path, this.#parts.judging.keyOf(path));
  }

  /** A step of the plan was carried out. */
  stir(step: Step): void {
    if (step.op?.effect === 'none' && step.mints.length === 0) return;
    this.#current = undefined;
    this.#isOthers ||= step.op?.effect === 'name' || step.mints.length > 0;
    const makesNode = step.mints.some(({ use }) => use.kind === 'node');
    if (step.op?.effect === 'name' && !makesNode) this.#movers.push(step);
  }

  /**
   * What all known objects are like: those that were looked up when this incarnation came, and those of which it told the plan
   * and the kernel still holds the ids. They are asked only when something may have changed since the last time.
   */
  async watch(): Promise<readonly Sighting[]> {
    this.#current ??= await new Inspector(this.#parts.driver).read(this.#known());
    this.#isOthers = false;
    return this.#current;
  }

  /** A judgement on a stale step of the plan, after all that `watch` showed was looked at again. */
  async followed(one: Case, subjects: Subjects, acknowledged: boolean): Promise<Judgement> {
    const inspector = new Inspector(this.#parts.driver);
    await inspector.isAlive();
    const after = await inspector.read(one.before.map(({ object }) => object));
    if (!this.#isOthers) this.#current = after;
    const seen = { before: one.before, after, isAcrossRestart: false };
    return changesSomething(operationIn(one.probe))
      ? this.#withEffects(one, seen, { subjects, acknowledged })
      : this.#withLiveIds(one, seen);
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
    return this.#withEffects(one, await this.#seen(one.before), { subjects, acknowledged });
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
    const objects = observed(seen, subjects, this.#keyOf);
    const scene = judging.scene();
    const effects = judgeEffects(one.probe, { objects, acknowledged: errno === 0 }, scene);
    return completed(
      completed(one.judgement, effects),
      judgeTwice(one.probe, { objects, error: errno }, scene),
    );
  }

  readonly #keyOf = (path: string): ObjectKey => this.#keys.get(path) ?? this.#parts.judging.keyOf(path);

  #known(): LiveObject[] {
    const { judging } = this.#parts;
    this.#moved.push(...this.#movers.flatMap((step) => judging.subjectsOf(step).named));
    this.#movers = [];
    const given = this.#given();
    for (const { path, symbol } of given) this.#keys.set(path, symbol);
    const paths = new Set(given.map(({ path }) => path));
    const nodeids = new Set(given.map(({ nodeid }) => nodeid));
    const others = this.#objects.filter(({ path, nodeid }) => !paths.has(path) && !nodeids.has(nodeid));
    const top: LiveObject[] = this.isBlind ? [root] : [];
    return [...top, ...given, ...others].filter(({ path }) => !isBelow(path, this.#moved)).slice(0, MOST);
  }

  /** Nodes that this incarnation gave to the plan and that the kernel holds. */
  #given(): (LiveObject & { readonly symbol: number })[] {
    const { state, driver } = this.#parts;
    const { mintedIn, incarnation, bindings, plan } = state;
    const given = new Map<string, LiveObject & { readonly symbol: number }>();
    for (let symbol = mintedIn.length - 1; symbol > ROOT_SYMBOL && given.size < MOST; symbol--) {
      if (mintedIn[symbol] !== incarnation) continue;
      const { kind, path } = plan.symbols.at(symbol) ?? {};
      const nodeid = bindings.get(symbol);
      if (kind !== 'node' || path === undefined || path.length <= 1 || given.has(path)) continue;
      if (driver.kernel.cache.nodes.find(nodeId(nodeid)) === undefined) continue;
      given.set(path, { symbol, path, nodeid, scalars: {}, fh: undefined });
    }
    return [...given.values()];
  }

  async #withEffects(
    one: Case,
    seen: Seen,
    { subjects, acknowledged }: { readonly subjects: Subjects; readonly acknowledged: boolean },
  ): Promise<Judgement> {
    if (failedIn(seen.after) !== undefined) return this.#withLiveIds(one, seen);
    const objects = observed(seen, subjects, this.#keyOf);
    const scene = this.#parts.judging.scene();
    return completed(one.judgement, judgeEffects(one.probe, { objects, acknowledged }, scene));
  }

  async #withLiveIds({ probe, judgement }: Case, seen: Seen): Promise<Judgement> {
    const { judging } = this.#parts;
    const uses = liveUses(seen, this.#keyOf, await this.#failing(seen));
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
