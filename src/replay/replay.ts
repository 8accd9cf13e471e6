/**
 * A replay: a plan against a server, with restarts on the way, a strategy after each, and a judgement on every stale id that
 * was used. What the server does is in the result; exceptions are for what keeps the replay from being done.
 */

import { Cleanup } from '../base/cleanup.js';
import type { Replied } from '../kernel/conversation.js';
import { VirtualKernel } from '../kernel/virtual-kernel.js';
import type { Divergence } from '../oracle/compare.js';
import { Listings } from '../oracle/listing.js';
import type { Outcome } from '../oracle/probe.js';
import { isUnsafe, type Verdict } from '../oracle/verdict.js';
import { Bindings } from '../plan/bindings.js';
import type { Plan, Step } from '../plan/plan.js';
import { Launcher } from '../transport/launch.js';
import { Course } from './course.js';
import { Driver } from './driver.js';
import { endingOf } from './ending.js';
import { Incarnations } from './incarnations.js';
import { Judging } from './judging.js';
import { offerOf } from './offer.js';
import type { ReplayOptions } from './options.js';
import { Pace } from './pace.js';
import { PlanSource, type PlanState, planState, type StepListener, staleSymbols } from './plan-source.js';
import { Probing } from './probing.js';
import type { Restart } from './restart-point.js';
import type { Failure, ReplayResult } from './result.js';
import type { Sighting } from './sighting.js';
import { laterSteps, silenceOf } from './silence.js';
import { Store } from './store.js';
import { Survivors } from './survivors.js';
import { Witness } from './witness.js';

/** Divergences that are kept; the rest is only counted. */
const KEPT_DIVERGENCES = 1000;
/** How long a server may work on a request whose reply is to be lost: a lock may be waited for, for ever. */
const LOSING_MS = 2000;

/** Replays a plan. Throws a RelightError when the server does not start or the store cannot be prepared. */
export const replay = async (plan: Plan, options: ReplayOptions): Promise<ReplayResult> => {
  const cleanup = new Cleanup();
  try {
    const store = await Store.open(options);
    cleanup.defer(() => store.close());
    const launcher = await Launcher.open({
      command: options.command,
      mode: 'pretend',
      aslr: options.aslr,
      sandbox: options.sandbox,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    cleanup.defer(() => launcher.close());
    let running: Replay | undefined;
    const judge = (node: number, reply: Uint8Array): boolean => running?.isAnother(node, reply) === true;
    const kernel = new VirtualKernel({ letGo: 'given', offer: offerOf(plan), judge });
    const driver = new Driver({ ...options, launcher, kernel });
    cleanup.defer(() => driver.stop('SIGKILL'));
    running = new Replay(plan, options, { driver, store });
    return await running.run(notesOn(launcher));
  } finally {
    await cleanup.run();
  }
};

class Replay {
  readonly #options: ReplayOptions;
  readonly #plan: Plan;
  readonly #driver: Driver;
  readonly #state: PlanState;
  readonly #judging: Judging;
  readonly #witness: Witness;
  readonly #course: Course;
  readonly #survivors: Survivors;
  readonly #incarnations: Incarnations;
  readonly #probing: Probing;
  readonly #pace: Pace;
  readonly #diverged: Divergence[] = [];
  /** Directories that the running incarnation is read piece by piece. */
  #listings = new Listings();
  readonly #failures: Failure[] = [];
  readonly #notes: string[] = [];
  #requests = 0;
  #matched = 0;

  constructor(plan: Plan, options: ReplayOptions, { driver, store }: { driver: Driver; store: Store }) {
    this.#options = options;
    this.#plan = plan;
    this.#driver = driver;
    this.#state = planState(plan, Bindings.of(plan));
    this.#judging = new Judging(this.#state, driver);
    const parts = { options, state: this.#state, driver, judging: this.#judging, store };
    this.#witness = new Witness(parts);
    this.#survivors = new Survivors(parts);
    this.#course = new Course({ ...parts, witness: this.#witness });
    this.#incarnations = new Incarnations(parts, this.#witness);
    this.#probing = new Probing(parts, { incarnations: this.#incarnations, witness: this.#witness });
    this.#pace = new Pace(options.pace);
  }

  async run(notes: readonly string[]): Promise<ReplayResult> {
    this.#notes.push(...notes);
    await this.#incarnations.begin();
    const started = performance.now();
    let from = 0;
    for (const restart of this.#options.restarts) from = await this.#upTo(restart, from);
    await this.#steps(from, this.#plan.steps.length);
    for (const divergence of this.#listings.endAll()) this.#diverge(divergence);
    const elapsedMs = performance.now() - started;
    const isLast = this.#options.restarts.at(-1)?.index === this.#plan.steps.length;
    if (isLast && this.#options.probes !== 'none') await this.#probing.run();
    if (this.#incarnations.isHopeless)
      this.#notes.push(`given up: the server died more than ${this.#options.maxDeaths} times`);
    const { unwatched } = this.#course;
    if (unwatched > 0)
      this.#notes.push(`what ${unwatched} stale requests did was not looked for: there were too many`);
    await this.#driver.stop('SIGKILL');
    if (this.#driver.isBlind) this.#notes.push('no back traces: gdb is not installed, or may not attach');
    return this.#result(elapsedMs);
  }

  /** Whether a node of the kernel's table that a strategy keeps is another object than before. */
  isAnother(node: number, reply: Uint8Array): boolean {
    return this.#survivors.isAnother(this.#driver.kernel.cache.nodes.idOf(node), reply);
  }

  /** Steps before the restart, the restart itself at its moment; gives the next step. */
  async #upTo({ index, moment }: Restart, from: number): Promise<number> {
    const to = Math.max(from, moment === 'after' ? index + 1 : index);
    await this.#steps(from, Math.min(to, this.#plan.steps.length));
    const lost = moment === 'inflight' ? await this.#lose(index) : [];
    this.#listings = new Listings();
    await this.#incarnations.restart(to, lost);
    return to;
  }

  /** Has a step carried out and its reply lost; what objects were like before it, where somebody will ask. */
  async #lose(index: number): Promise<readonly Sighting[]> {
    const { strategy, replyTimeoutMs } = this.#options;
    const source = this.#source(index, index + 1, () => false);
    const before = strategy.inFlight === 'resend' ? await this.#witness.look() : [];
    const request = source.next();
    const step = this.#plan.steps.at(index);
    if (request === undefined || step === undefined) return [];
    await this.#driver.lose(request, source, Math.min(replyTimeoutMs, LOSING_MS));
    this.#state.finished[index] = 1;
    this.#judging.identities.unanswered(step, this.#state.incarnation);
    return before;
  }

  async #steps(from: number, to: number): Promise<void> {
    while (!this.#incarnations.isHopeless) {
      const source = this.#source(from, to);
      if (source.isDone()) return;
      const end = await this.#course.drive(source);
      if (end.kind === 'done') return;
      if (end.kind === 'stuck') return this.#giveUp(from, to);
      if (end.kind === 'spoilt') await this.#revive(this.#firstOpen(from, to));
      else await this.#failed(end.kind === 'died' ? 'died' : 'hang', { from, to });
    }
  }

  #source(from: number, to: number, isAlone = this.#course.isAlone): PlanSource {
    const parts = { state: this.#state, driver: this.#driver, listener: this.#listener };
    return new PlanSource(parts, { from, to, pace: this.#pace, strict: this.#options.strict, isAlone });
  }

  #giveUp(from: number, to: number): void {
    let left = 0;
    for (let step = from; step < to; step++) if (this.#state.finished[step] === 0) left++;
    this.#notes.push(`${left} requests were not sent: what they wait for never came`);
  }

  readonly #listener: StepListener = {
    onCompared: (step, replied, divergence) => this.#compared(step, replied, divergence),
    onStale: (step, replied) => {
      this.#requests++;
      this.#course.answered(step, replied);
    },
    onSwallowed: (step, request) => this.#course.swallowed(step, request),
    onWithheld: (step, { by }) => {
      const probe = this.#judging.ofStep(step);
      if (probe.stale.length > 0) this.#judging.keep(this.#judging.judge(probe, { kind: 'withheld', by }));
    },
    onRejected: ({ refusal }) => {
      this.#notes.push(`the server wrote what the kernel refuses: ${refusal.reason} (${refusal.where})`);
    },
  };

  #compared(step: Step, replied: Replied, divergence: Divergence | undefined): void {
    this.#requests++;
    this.#judging.learn(step, replied);
    this.#witness.stir(step);
    this.#matched++;
    const left = this.#settled(step, replied, divergence);
    if (left !== undefined) this.#diverge(left);
  }

  /** Takes a reply back that had counted as matched. */
  #diverge(divergence: Divergence): void {
    this.#matched--;
    if (this.#diverged.length < KEPT_DIVERGENCES) this.#diverged.push(divergence);
  }

  /** A server with another order of names cuts a directory elsewhere: only the whole can differ. */
  #settled(step: Step, { reply }: Replied, found: Divergence | undefined): Divergence | undefined {
    if ((found === undefined && this.#listings.isEmpty) || this.#options.strict) return found;
    const handle = step.patches.find((patch) => patch.kind === 'symbol' && patch.use.kind === 'handle');
    if (handle?.kind !== 'symbol') return found;
    const { negotiated } = this.#plan;
    return this.#listings.settle(handle.symbol, step, { bytes: reply, found, negotiated });
  }

  /** The server failed with requests in its hands: those with stale ids are judged, otherwise it failed by itself. */
  async #failed(how: 'died' | 'hang', stretch: { from: number; to: number }): Promise<void> {
    const all = this.#held(stretch);
    const first = this.#sentFirst(all);
    const suspects = how === 'died' ? this.#course.suspect(all) : new Set<Step>();
    const held = all.filter((step) => !suspects.has(step));
    const stale = held.filter((step) => staleSymbols(step, this.#state).length > 0);
    const among = all.length > 1 ? { inFlight: all.length, first } : undefined;
    const text = how === 'died' ? await this.#ended(stale, among) : await this.#silent(stale, stretch);
    for (const step of held) {
      this.#state.finished[step.index] = 1;
      this.#judging.identities.unanswered(step, this.#state.incarnation);
    }
    if (stale.length === 0 && suspects.size === 0)
      this.#failures.push({ step: held[0]?.index ?? stretch.from, op: held[0]?.op?.name ?? 'none', text });
    await this.#revive(all[0]?.index ?? stretch.from);
  }

  #sentFirst(steps: readonly Step[]): Step | undefined {
    const { uniques } = this.#state;
    const sent = steps.toSorted((a, b) => (uniques[a.index] ?? 0) - (uniques[b.index] ?? 0));
    return sent[0];
  }

  /** Judges stale steps that are not sent again by the end of the server; of several, the first is blamed. */
  async #ended(stale: readonly Step[], among: { inFlight: number; first: Step | undefined } | undefined) {
    const outcome = await endingOf(this.#driver);
    for (const step of stale) {
      const shared = among && { inFlight: among.inFlight, isFirst: step === among.first };
      this.#judge(step, { ...outcome, among: shared });
    }
    return `the server ended: ${endText(outcome)}`;
  }

  async #silent(stale: readonly Step[], stretch: { from: number; to: number }): Promise<string> {
    const { replyTimeoutMs } = this.#options;
    for (const step of stale) {
      const later = laterSteps(this.#state, this.#state.uniques[step.index] ?? 0, stretch);
      this.#judge(step, await silenceOf(this.#driver, replyTimeoutMs, later));
    }
    return `no reply within ${replyTimeoutMs} ms`;
  }

  #judge(step: Step, outcome: Outcome): void {
    this.#judging.keep(this.#judging.judge(this.#judging.ofStep(step), outcome));
  }

  async #revive(at: number): Promise<void> {
    this.#listings = new Listings();
    await this.#incarnations.revive(at);
  }

  #firstOpen(from: number, to: number): number {
    const open = this.#state.finished.subarray(from, to).indexOf(0);
    return open < 0 ? to : from + open;
  }

  /** Steps that were sent to the running incarnation and not answered. */
  #held({ from, to }: { readonly from: number; readonly to: number }): Step[] {
    const held: Step[] = [];
    for (let index = from; index < to; index++) {
      if (this.#state.finished[index] === 1 || this.#state.uniques[index] === 0) continue;
      const step = this.#plan.steps.at(index);
      if (step !== undefined) held.push(step);
    }
    return held;
  }

  #result(elapsedMs: number): ReplayResult {
    const judgements = this.#judging.all;
    const verdicts: Partial<Record<Verdict, number>> = {};
    for (const { verdict } of judgements) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    const unsafe = judgements.some(({ verdict }) => isUnsafe(verdict));
    const differs = this.#diverged.length > 0 || this.#failures.length > 0;
    return {
      outcome: unsafe ? 'unsafe' : differs ? 'diverged' : 'same',
      strategy: this.#options.strategy.name,
      aslr: this.#options.aslr,
      requests: this.#requests,
      matched: this.#matched,
      diverged: this.#diverged,
      failures: this.#failures,
      judgements,
      verdicts,
      restarts: this.#incarnations.restarts,
      exits: this.#driver.exits,
      messages: this.#driver.messages,
      elapsedMs,
      paceError: this.#pace.error(),
      seed: this.#options.seed,
      notes: [...new Set(this.#notes)],
    };
  }
}

const notesOn = ({ sandboxTrouble }: Launcher): string[] =>
  sandboxTrouble === undefined
    ? []
    : [`no sandbox: the server could write wherever this user may (${sandboxTrouble})`];

const endText = (outcome: {
  readonly kind: string;
  readonly exit?: { readonly signal: string | undefined; readonly code: number | undefined };
}): string => outcome.exit?.signal ?? `exit status ${outcome.exit?.code ?? 'unknown'}`;
