/** The server's lives during a replay: the first start, each restart with its strategy, and what an unasked death leads to. */

import { RelightError } from '../base/error.js';
import { type Rng, rng } from '../base/rng.js';
import type { Command } from '../kernel/conversation.js';
import { exitMeaning } from '../oracle/exit.js';
import type { Outcome } from '../oracle/probe.js';
import type { Judgement } from '../oracle/verdict.js';
import { describeExit } from '../transport/exit-text.js';
import type { DriveEnd, Driver } from './driver.js';
import { changesBetween, Inspector, type LiveObject } from './inspector.js';
import type { Judging } from './judging.js';
import type { ReplayOptions } from './options.js';
import type { PlanState } from './plan-source.js';
import type { RestartReport } from './result.js';
import type { Store } from './store.js';

/** Objects that a new incarnation looks up at most. */
const LOOKUPS = 256;

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
  readonly #paths: readonly string[];
  readonly #rng: Rng;
  /** What the running incarnation has looked up for us. */
  #live: LiveObject[] = [];
  /** Whether the store was changed on purpose before the running incarnation began. */
  #isStoreChanged = false;
  #deaths = 0;

  constructor(parts: IncarnationParts) {
    this.#parts = parts;
    this.#rng = rng(parts.options.seed);
    this.#paths = [...parts.state.plan.symbols]
      .flatMap(({ kind, path }) => (kind === 'node' && path !== undefined && path.length > 1 ? [path] : []))
      .slice(0, LOOKUPS);
  }

  /** True when the server died unasked more often than is sensible. */
  get isHopeless(): boolean {
    return this.#deaths > this.#parts.options.maxDeaths;
  }

  /** Objects that the running incarnation has handed out ids for. */
  get live(): readonly LiveObject[] {
    return this.#live;
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

  /** Looks everything up in this incarnation, unless that was done; with the first bytes of files. */
  async survey(): Promise<LiveObject[]> {
    const inspector = new Inspector(this.#parts.driver);
    if (this.#live.length === 0) this.#meet(await inspector.look(this.#paths, 'same', this.#rng));
    return inspector.withHeads(this.#live);
  }

  /** Uses every id that this incarnation handed out; what broke, in words. */
  async check(before: readonly LiveObject[]): Promise<{ readonly path: string; readonly text: string }[]> {
    const inspector = new Inspector(this.#parts.driver);
    const now = await inspector.again(before);
    const heads = before.some(({ head, fh }) => head !== '' && fh === undefined);
    const again = heads ? await inspector.withHeads([...now.values()]) : [...now.values()];
    return changesBetween(before, new Map(again.map((object) => [object.path, object])));
  }

  /** How the server ended, as an outcome for the judge. */
  async ending(): Promise<Extract<Outcome, { kind: 'ended' }>> {
    const { driver } = this.#parts;
    const exit = await driver.died();
    const stderr = driver.stderr.at(-1) ?? [];
    return { kind: 'ended', exit: { code: exit?.code, signal: exit?.signal, stderr } };
  }

  async #next(at: number, changes: readonly string[]): Promise<void> {
    const { driver, state, options } = this.#parts;
    state.incarnation++;
    const started = performance.now();
    const end = await driver.start(options.strategy);
    if (end.kind !== 'done') throw await this.#noStart(end);
    this.#isStoreChanged ||= changes.length > 0;
    this.#meet(await new Inspector(driver).look(this.#paths, options.relookup, this.#rng));
    const sent: Extract<Command, { kind: 'send' }>[] = [];
    const recovery = await driver.recover((command) => this.#hear(command, sent));
    const elapsedMs = performance.now() - started;
    this.restarts.push({ at, tally: driver.kernel.tally, elapsedMs, changes });
    await this.#judgeRecovery(recovery, sent);
  }

  /** Keeps what was looked up, and tells the judge what now stands at the paths. */
  #meet(live: LiveObject[]): void {
    this.#live = live;
    const { judging, state } = this.#parts;
    const when = { incarnation: state.incarnation, isStoreChanged: this.#isStoreChanged };
    for (const { path, scalars, head } of live) {
      const key = judging.identities.keyAt(path);
      const data = { offset: 0n, bytes: Buffer.from(head, 'latin1'), asked: head.length };
      const told = head === '' ? { scalars } : { scalars, data };
      if (key !== undefined) judging.identities.meet(key, told, when);
    }
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
    if (end.kind === 'died') return judging.keep(judging.judge(probe, await this.ending()));
    const released = sent.filter(({ cause }) => cause === 'forget' || cause === 'release');
    if (released.length === 0) return;
    const swallowed = judging.judge(
      { ...probe, request: released[0]?.bytes ?? last.bytes },
      { kind: 'swallowed' },
    );
    judging.keep(await this.broken(swallowed, await this.survey()));
  }

  /** Whether the server still answers. */
  isAlive(): Promise<boolean> {
    return new Inspector(this.#parts.driver).isAlive();
  }

  /** A judgement after the live ids were used: worse when one of them broke or the server died of it. */
  async broken(judgement: Judgement, before: readonly LiveObject[]): Promise<Judgement> {
    const { judging } = this.#parts;
    const broken = await this.check(before);
    if (!(await this.isAlive())) return this.#fatal(judgement);
    if (broken.length > 0)
      return judging.worse(
        judgement,
        'poison',
        broken.map(({ text }) => text),
      );
    if (judgement.verdict !== 'unknown') return judgement;
    const evidence = [...judgement.evidence, `${before.length} ids of the new incarnation still work`];
    return { ...judgement, verdict: 'rejected', followUps: [], evidence };
  }

  /** The server did not survive the use of an id that it had handed out itself. */
  async #fatal(judgement: Judgement): Promise<Judgement> {
    const { judging } = this.#parts;
    const { exit } = await this.ending();
    const { verdict, signature, evidence } = exitMeaning(exit);
    const text = 'the next requests, on ids of the new incarnation, ended the server';
    const worse = judging.worse(judgement, verdict === 'unknown' ? 'poison' : verdict, [text, ...evidence]);
    return { ...worse, signature: `${judgement.op} then ${signature}` };
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
