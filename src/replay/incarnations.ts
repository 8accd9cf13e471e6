/** The server's lives during a replay: the first start, each restart with its strategy, and what an unasked death leads to. */

import { RelightError } from '../base/error.js';
import type { Command } from '../kernel/conversation.js';
import { trust } from '../kernel/strategies/trust.js';
import type { Probe } from '../oracle/probe.js';
import type { Judgement } from '../oracle/verdict.js';
import { describeExit } from '../transport/exit-text.js';
import type { DriveEnd, Driver } from './driver.js';
import { endingOf } from './ending.js';
import { Inspector } from './inspector.js';
import type { Judging } from './judging.js';
import type { ReplayOptions } from './options.js';
import type { PlanState } from './plan-source.js';
import type { RestartReport } from './result.js';
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

/** The incarnations of one replay. */
export class Incarnations {
  readonly restarts: RestartReport[] = [];
  readonly #parts: IncarnationParts;
  readonly #witness: Witness;
  #deaths = 0;

  constructor(parts: IncarnationParts, witness: Witness) {
    this.#parts = parts;
    this.#witness = witness;
  }

  /** True when the server died unasked more often than is sensible. */
  get isHopeless(): boolean {
    return this.#deaths > this.#parts.options.maxDeaths;
  }

  /** The first start. Throws `server` when it does not come up. */
  async begin(): Promise<void> {
    await this.#parts.store.prepare();
    const end = await this.#parts.driver.start();
    if (end.kind !== 'done') throw await this.#noStart(end);
  }

  /** Kills the server, changes the store if wanted, starts it again and lets the strategy work. */
  async restart(at: number): Promise<void> {
    const { driver, options, store } = this.#parts;
    if (driver.server !== undefined) await driver.stop(options.signal);
    if (options.probes !== 'none') await store.keep();
    await this.#next(at, await store.change());
  }

  /** After a death that nobody asked for, or a hang: the next incarnation, unless it is hopeless. */
  async revive(at: number): Promise<void> {
    this.#deaths++;
    if (this.#parts.driver.server !== undefined) await this.#parts.driver.stop('SIGKILL');
    if (!this.isHopeless) await this.#next(at, []);
  }

  /** A fresh state of store and server, for the next thing that may spoil them. */
  async renew(at: number): Promise<void> {
    await this.#parts.driver.stop('SIGKILL');
    await this.#parts.store.rewind();
    await this.#next(at, await this.#parts.store.change());
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

  async #next(at: number, changes: readonly string[]): Promise<void> {
    const { driver, state, options } = this.#parts;
    state.incarnation++;
    const started = performance.now();
    const end = await driver.start(options.strategy);
    if (end.kind !== 'done') throw await this.#noStart(end);
    await this.#witness.arrive(changes.length > 0);
    const sent: Extract<Command, { kind: 'send' }>[] = [];
    const recovery = await driver.recover((command) => this.#hear(command, sent));
    const elapsedMs = performance.now() - started;
    this.restarts.push({ at, tally: driver.kernel.tally, elapsedMs, changes });
    await this.#judgeRecovery(recovery, sent);
  }

  #hear(command: Command, sent: Extract<Command, { kind: 'send' }>[]): void {
    if (command.kind === 'send') sent.push(command);
    if (command.kind !== 'moved') return;
    const { plan, bindings, mintedIn, incarnation } = this.#parts.state;
    for (const { id, kind } of plan.symbols) {
      if (kind !== 'node' || bindings.get(id) !== command.from || mintedIn[id] !== command.minted) continue;
      bindings.set(id, command.to);
      mintedIn[id] = incarnation;
    }
  }

  /** The strategy's own messages used stale ids too: FORGETs, RELEASEs, revalidation. */
  async #judgeRecovery(end: DriveEnd, sent: readonly Extract<Command, { kind: 'send' }>[]): Promise<void> {
    const { judging } = this.#parts;
    const last = sent.at(-1);
    if (last === undefined) return;
    const probe = { request: last.bytes, stale: [], subject: undefined, recorded: undefined };
    if (end.kind === 'died') return judging.keep(judging.judge(probe, await endingOf(this.#parts.driver)));
    const released = sent.find(({ cause }) => cause === 'forget' || cause === 'release');
    if (released === undefined) return;
    const first = { ...probe, request: released.bytes };
    const judgement = judging.judge(first, { kind: 'swallowed' });
    if (this.#witness.isBlind) return this.#judgeBlindly(first, judgement);
    judging.keep(await this.#witness.released({ probe: first, judgement, before: this.#witness.before() }));
  }

  /** Nothing may be looked up now, so that only a server which is gone tells anything. */
  async #judgeBlindly(probe: Probe, judgement: Judgement): Promise<void> {
    const { driver, judging } = this.#parts;
    const isAlive = await new Inspector(driver).isAlive();
    judging.keep(isAlive ? judgement : judging.judge(probe, await endingOf(driver)));
  }

  async #noStart(end: DriveEnd): Promise<RelightError> {
    const { driver, options } = this.#parts;
    const name = options.command[0];
    const exit = end.kind === 'died' ? await driver.died() : undefined;
    const said = driver.server?.stderr.lines(2) ?? driver.stderr.at(-1)?.slice(-2) ?? [];
    await driver.stop('SIGKILL');
    const why =
      end.kind === 'died'
        ? describeExit(exit)
        : `gave no answer to INIT within ${options.startTimeoutMs / 1000} s`;
    return new RelightError('server', [`${name} ${why}`, ...said].join('; '), {
      remedy: 'try the command by itself; --check tells whether this trace can be replayed on it',
    });
  }
}
