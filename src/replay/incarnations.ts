/** The server's lives during a replay: the first start, each restart with its strategy, and what an unasked death leads to. */

import { RelightError } from '../base/error.js';
import type { Strategy } from '../kernel/strategies/strategy.js';
import { trust } from '../kernel/strategies/trust.js';
import { Aftermath } from './aftermath.js';
import type { DriveEnd, Driver } from './driver.js';
import { heldSymbols } from './held.js';
import type { Judging } from './judging.js';
import type { ReplayOptions } from './options.js';
import type { PlanState } from './plan-source.js';
import type { RestartReport } from './result.js';
import type { Sighting } from './sighting.js';
import { startFailure } from './start-failure.js';
import type { Store } from './store.js';
import type { Witness } from './witness.js';

/** What a life needs. */
export interface IncarnationParts {
  readonly options: ReplayOptions;
  readonly state: PlanState;
  readonly driver: Driver;
  readonly judging: Judging;
  readonly store: Store;
}

/** How the next life begins. */
interface Next {
  readonly changes: readonly string[];
  readonly strategy: Strategy;
  readonly lost: readonly Sighting[];
}

/** What killed a server was judged; sent once more it would kill the next one, and so on. */
const withoutResend = (strategy: Strategy): Strategy =>
  strategy.inFlight === 'resend' ? { ...strategy, inFlight: 'abort' } : strategy;

/** What a server says that was kept from writing. */
const forbidden = /EROFS|EACCES|EPERM|read-only|permission denied|operation not permitted/i;

/** The incarnations of one replay. */
export class Incarnations {
  readonly restarts: RestartReport[] = [];
  readonly #parts: IncarnationParts;
  readonly #witness: Witness;
  #deaths = 0;
  #held: ReadonlySet<number> = new Set();

  constructor(parts: IncarnationParts, witness: Witness) {
    this.#parts = parts;
    this.#witness = witness;
  }

  /** True when the server died unasked more often than is sensible. */
  get isHopeless(): boolean {
    return this.#deaths > this.#parts.options.maxDeaths;
  }

  /** Symbols of which the kernel held the ids when the server was stopped at the end of the plan. */
  get held(): ReadonlySet<number> {
    return this.#held;
  }

  /** The first start. Throws `server` when it does not come up. */
  async begin(): Promise<void> {
    await this.#parts.store.prepare();
    const end = await this.#parts.driver.start();
    if (end.kind !== 'done') throw await this.#noStart(end);
  }

  /**
   * Kills the server, changes the store if wanted, starts it again and lets the strategy work. `lost`: what objects were like
   * before the last request, whose reply was lost.
   */
  async restart(at: number, lost: readonly Sighting[] = []): Promise<void> {
    const { driver, options, store, state } = this.#parts;
    if (options.probes !== 'none' && at === state.plan.steps.length)
      this.#held = heldSymbols(state, driver.kernel.cache);
    if (driver.server !== undefined) await driver.stop(options.signal);
    if (options.probes !== 'none') await store.keep();
    await this.#next(at, { changes: await store.change(), strategy: options.strategy, lost });
  }

  /** After a death that nobody asked for, or a hang: the next incarnation, unless it is hopeless. */
  async revive(at: number): Promise<void> {
    this.#deaths++;
    if (this.#parts.driver.server !== undefined) await this.#parts.driver.stop('SIGKILL');
    const strategy = withoutResend(this.#parts.options.strategy);
    if (!this.isHopeless) await this.#next(at, { changes: [], strategy, lost: [] });
  }

  /** A fresh state of store and server, for the next thing that may spoil them. */
  async renew(at: number): Promise<void> {
    await this.#parts.driver.stop('SIGKILL');
    await this.#parts.store.rewind();
    const { strategy } = this.#parts.options;
    await this.#next(at, { changes: await this.#parts.store.change(), strategy, lost: [] });
  }

  /** Shows the witness the kept store by an incarnation that meets no stale id; another one has to follow. */
  async showUndisturbed(): Promise<void> {
    const { driver, state, store } = this.#parts;
    await driver.stop('SIGKILL');
    await store.rewind();
    await store.change();
    state.incarnation++;
    const end = await driver.start(trust);
    if (end.kind !== 'done') throw await this.#noStart(end);
    await this.#witness.lookUndisturbed();
  }

  async #next(at: number, { changes, strategy, lost }: Next): Promise<void> {
    const { driver, state } = this.#parts;
    const witness = this.#witness;
    state.incarnation++;
    const started = performance.now();
    const start = await driver.start(strategy);
    if (start.kind !== 'done') throw await this.#noStart(start);
    const looking = performance.now();
    await witness.arrive(changes.length > 0);
    const looked = performance.now();
    const aftermath = new Aftermath({ ...this.#parts, witness });
    const end = await driver.recover((command) => aftermath.hear(command));
    const elapsedMs = performance.now() - looked + (looking - started);
    this.restarts.push({ at, tally: driver.kernel.tally, elapsedMs, changes });
    await aftermath.judge(end, lost);
    if (driver.server === undefined) await this.revive(at);
  }

  async #noStart(end: DriveEnd): Promise<RelightError> {
    const { driver, options } = this.#parts;
    const { why, said } = await startFailure(driver, end);
    const isForbidden = options.sandbox !== undefined && said.some((line) => forbidden.test(line));
    return new RelightError('server', [`${options.command[0]} ${why}`, ...said].join('; '), {
      remedy: isForbidden
        ? 'it may want to change more than its store: name that by --writable PATH, or use --no-sandbox'
        : 'try the command by itself; --check tells whether this trace can be replayed on it',
    });
  }
}
