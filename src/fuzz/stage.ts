/**
 * One server command on stage: its first life hands out ids and is killed, the next ones meet the cases, each with live ids of
 * its own. Which cases are tried, and when a life is over, is for others to say.
 */

import { Cleanup } from '../base/cleanup.js';
import { RelightError } from '../base/error.js';
import type { InitOffer } from '../kernel/negotiation.js';
import { type Shape, shapesOf } from '../kernel/shape.js';
import { crashReport } from '../oracle/crash-report.js';
import type { ServerExit } from '../oracle/exit.js';
import type { Outcome } from '../oracle/probe.js';
import { gravest, isUnsafe, type Judgement } from '../oracle/verdict.js';
import { Bindings } from '../plan/bindings.js';
import type { Plan } from '../plan/plan.js';
import { errorOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { offerOf } from '../replay/offer.js';
import { judgeAftermath } from './aftermath.js';
import { batchOf } from './batch.js';
import type { Case, CaseRequest } from './case.js';
import { type Environment, plainEnvironment } from './environment.js';
import { fillRequest } from './fill.js';
import { Lane, type LaneEnd, type LaneListener } from './lane.js';
import { Lawful } from './lawful.js';
import type { Life } from './life.js';
import { Lives, type ServerOrders } from './lives.js';
import { addressOf } from './memory-spots.js';
import { Observer } from './observe.js';
import { bindMinted, requestOfStep, stretches } from './prologue.js';
import { type Played, Report } from './report.js';
import { type Ask, type Look, requestOf, survey } from './survey.js';
import { type Era, lastIncarnation, World } from './world.js';

/** How a server is put on stage. */
export interface StageOrders extends ServerOrders {
  /** Requests of cases under way at once at most; 1 where their order matters. */
  readonly depth: number;
  /** How long a reply may take before the server counts as hanging. */
  readonly replyTimeoutMs: number;
}

/** What runs. */
interface Scenery {
  readonly plan: Plan;
  readonly bindings: Bindings;
  readonly world: World;
  readonly life: Life;
  readonly lane: Lane;
  readonly era: Era;
  readonly lawful: Lawful;
}

/** A stage for one server. `begin` comes first, `close` last. */
export class Stage {
  readonly #orders: StageOrders;
  readonly #lives: Lives;
  readonly #cleanup: Cleanup;
  readonly #observer = new Observer();
  /** One object for each session that was settled, since much is worked out once for each. */
  readonly #sessions = new Map<string, Session>();
  #environment = plainEnvironment;
  #scenery: Scenery | undefined;
  #before: Look | undefined;
  #last: { readonly request: CaseRequest; readonly errno: number | undefined; readonly isAgain: boolean } | undefined;
  #played = 0;
  #lifeCount = 0;

  private constructor(orders: StageOrders, lives: Lives, cleanup: Cleanup) {
    this.#orders = orders;
    this.#lives = lives;
    this.#cleanup = cleanup;
  }

  /** Makes ready. Throws a RelightError where the command cannot be run or its store not be copied. */
  static async open(orders: StageOrders): Promise<Stage> {
    const cleanup = new Cleanup();
    try {
      return new Stage(orders, await Lives.open(orders, cleanup), cleanup);
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  /** Times that the server was started. */
  get starts(): number {
    return this.#lives.starts;
  }

  /** Memory in bytes and open descriptors of the running life. */
  get holdings(): Life['holdings'] {
    return this.#on().life.holdings;
  }

  /** Ends the server, puts the store back and removes everything that was made. */
  close(): Promise<void> {
    return this.#cleanup.run();
  }

  /**
   * Plays the lives of a plan up to the last one, whose steps are the preparation of the cases: a first life on a fresh store
   * for each incarnation, killed before the next. Throws `server` when it does not come up or does not survive its own ids.
   */
  async begin(plan: Plan, environment: Environment): Promise<void> {
    this.#environment = environment;
    this.#lifeCount = 0;
    const bindings = Bindings.of(plan);
    const last = lastIncarnation(plan);
    const offer = { ...offerOf(plan), defaultPermissions: true };
    let world: World | undefined;
    for (let incarnation = 0; incarnation < last; incarnation++) {
      const life = await (incarnation === 0 ? this.#lives.first : this.#lives.next).call(this.#lives, offer, {
        ...environment,
        whileDown: undefined,
      });
      world ??= new World(plan, this.#sessionOf(life.negotiated).negotiated);
      await this.#prepare({ plan, bindings, world, life }, incarnation);
      await life.kill();
      this.#lives.ended();
    }
    await this.#lastLife({ plan, bindings, world }, true);
  }

  /** Kills the server and starts the last life again, on its store and with new live ids; old ids stay what they are. */
  async restart(environment: Environment = this.#environment): Promise<void> {
    this.#environment = environment;
    const { plan, bindings, world } = this.#on();
    await this.#lastLife({ plan, bindings, world }, false);
  }

  /** Sends the requests of some cases, and what came of each. The server may be dead or hang afterwards. */
  async play(cases: readonly Case[]): Promise<Played> {
    const scenery = this.#on();
    const { lane, era, world, lawful } = scenery;
    for (const one of cases) lawful.take(one, world, era);
    const batch = batchOf(cases, [rootQuestion(era)]);
    const report = new Report(cases, batch, this.#observer);
    const end = await lane.run(batch, report);
    if (report.isStoreChanged || end !== 'done') this.#lives.spoil();
    this.#played = cases.length;
    this.#remember(cases, report);
    const { slots } = lane;
    if (end === 'done') return report.well(slots);
    const outcome = end === 'died' ? await this.#ending() : await this.#silence();
    return report.failed(outcome, slots);
  }

  /**
   * Plays one case by itself and looks closely: its reply, the objects and live ids afterwards, and what stands behind its ids
   * where the reply does not tell. The gravest judgement about it first; there is always one.
   */
  async examine(one: Case): Promise<readonly Judgement[]> {
    const { observations, judgements, end } = await this.play([one]);
    const request = one.requests[one.wrong];
    const own = observations[0]?.judgement;
    if (end !== 'well' || request === undefined || own === undefined)
      return judgements.map(({ judgement }) => judgement);
    const later = await this.check();
    const told = own.followUps.includes('identify') ? await this.#identify(request, own) : own;
    const others = judgements.filter(({ judgement }) => judgement !== own);
    return [gravest(told, ...later), ...others.map(({ judgement }) => judgement)];
  }

  /**
   * Looks at the objects of the running life again: what changed without being meant, and which ids that it handed out itself
   * do not work any more since the last look. Unsafe judgements, held against the last case; none when all is well.
   */
  async check(): Promise<readonly Judgement[]> {
    const { era, world, lawful, life } = this.#on();
    const last = this.#last;
    const before = this.#before;
    if (last === undefined || before === undefined) return [];
    const after = await this.#look(this.#on());
    if (typeof after === 'string') return [await this.#lateEnd(last.request, after)];
    const probe = world.probeOf(last.request, this.#frameOf(last.request), era);
    const judgements = judgeAftermath(
      {
        ...{ probe, before, after, errno: last.errno, isAgain: last.isAgain, isAlone: this.#played === 1 },
        ...{ changed: lawful.changed, gone: lawful.gone, meant: world.namedBy(last.request) },
      },
      this.#observer.scene(),
    );
    if (judgements.some(({ verdict }) => isUnsafe(verdict))) this.#lives.spoil();
    this.#before = after;
    lawful.looked();
    const report = crashReport(life.stderr);
    if (report === undefined) return judgements;
    const exit = { code: undefined, signal: undefined, stderr: life.stderr };
    return [...judgements, this.#observer.judge(last.request, { kind: 'ended', exit })];
  }

  async #lastLife(
    { plan, bindings, world }: Pick<Scenery, 'plan' | 'bindings'> & { readonly world: World | undefined },
    isNewCast: boolean,
  ): Promise<void> {
    const { minor, withoutFlags } = this.#environment;
    const usual = offerOf(plan);
    const offer: InitOffer = {
      ...{ ...usual, defaultPermissions: true, minor: minor ?? usual.minor },
      flags: usual.flags & ~withoutFlags,
    };
    const life = await this.#lives.next(offer, this.#environment);
    const known = world ?? new World(plan, this.#sessionOf(life.negotiated).negotiated);
    await this.#prepare({ plan, bindings, world: known, life }, lastIncarnation(plan));
    const { world: settled, era } = this.#on();
    this.#observer.meet(
      { world: settled, era, maps: once(() => life.maps), frameOf: (request) => this.#frameOf(request) },
      isNewCast,
    );
  }

  /** Sends the steps of an incarnation, binds what they mint and looks at it. */
  async #prepare(
    parts: Pick<Scenery, 'plan' | 'bindings' | 'world' | 'life'>,
    incarnation: number,
  ): Promise<void> {
    const { plan, bindings, world, life } = parts;
    const { negotiated, shapes } = this.#sessionOf(life.negotiated);
    const isStoreChanged = incarnation > 0 && this.#environment.whileDown !== undefined;
    const era: Era = { life: this.#lifeCount++, negotiated, bindings, isStoreChanged };
    const { depth, replyTimeoutMs } = this.#orders;
    const lane = new Lane({ life, shapes, bindings, depth, replyTimeoutMs });
    const scenery = { ...parts, lane, era, lawful: new Lawful() };
    this.#scenery = scenery;
    const steps = [...plan.steps].filter((step) => step.incarnation === incarnation);
    for (const stretch of stretches(steps)) {
      const replies = await this.#answers(stretch.map(requestOfStep));
      if (typeof replies === 'string') throw await this.#lost(replies);
      for (const [index, step] of stretch.entries()) {
        const reply = replies[index];
        if (reply === undefined || errorOf(reply) !== 0) continue;
        bindMinted(step, reply, { bindings, session: negotiated });
        world.learn(step, reply, era);
      }
    }
    bindMemory(plan, incarnation, { bindings, life });
    const look = await this.#look(scenery, incarnation);
    if (typeof look === 'string') throw await this.#lost(look);
    this.#before = look;
  }

  async #look({ world, bindings, era }: Scenery, incarnation?: number): Promise<Look | 'died' | 'silent'> {
    const ask: Ask = (questions) => this.#answers(questions);
    const look = await survey(world.targets(bindings, incarnation), ask, era);
    if (typeof look !== 'string')
      for (const { object, result } of look.uses.values())
        if (result.kind === 'good') world.meet(object, result.told, era);
    return look;
  }

  /** Replies to questions of our own; those to which none is due are empty. */
  async #answers(questions: readonly CaseRequest[]): Promise<Uint8Array[] | 'died' | 'silent'> {
    const replies: Uint8Array[] = questions.map(() => nothing);
    const listener: LaneListener = {
      onReply: (slot, reply) => {
        replies[slot] = reply.slice();
      },
      onStray: () => undefined,
    };
    const end = await this.#on().lane.run(batchOf([], questions), listener);
    return end === 'done' ? replies : end;
  }

  /** The reply did not tell which object it is about; the attributes behind the same ids do. */
  async #identify(request: CaseRequest, own: Judgement): Promise<Judgement> {
    const { era } = this.#on();
    const [header] = request.patches.filter(({ offset }) => offset === NODEID_AT);
    if (header === undefined) return own;
    const asked = { ...rootQuestion(era), patches: [header] };
    const replies = await this.#answers([asked]);
    if (typeof replies === 'string') return own;
    const judged = this.#observer.judge(asked, { kind: 'reply', bytes: replies[0] ?? nothing });
    const { verdict, evidence } = judged;
    if (verdict !== 'recovered' && verdict !== 'wrong-object') return own;
    const signature = `${verdict} ${own.op} ${own.idKind}`;
    return { ...own, verdict, signature, evidence: [...own.evidence, ...evidence], followUps: [] };
  }

  #remember(cases: readonly Case[], report: Report): void {
    const last = cases.at(-1);
    const request = last?.requests[last.wrong];
    if (last === undefined || request === undefined) return;
    const isAgain = last.requests.some(({ resent, repeats }) => resent || repeats !== undefined);
    this.#last = { request, errno: report.errnoOf(cases.length - 1), isAgain };
  }

  /** The server did not survive the look at its own ids. */
  async #lateEnd(request: CaseRequest, end: 'died' | 'silent'): Promise<Judgement> {
    this.#lives.spoil();
    const outcome = end === 'died' ? await this.#ending() : await this.#silence();
    const judgement = this.#observer.judge(request, outcome);
    const { verdict, op, signature, evidence } = judgement;
    return {
      ...judgement,
      verdict: verdict === 'unknown' ? 'poison' : verdict,
      signature: `${op} then ${signature.replace(`${op} `, '')}`,
      evidence: [...evidence, 'it answered the request, but not the next ones, on ids that it had handed out itself'],
    };
  }

  async #ending(): Promise<Extract<Outcome, { kind: 'ended' }>> {
    return { kind: 'ended', exit: await this.#exit() };
  }

  /** Whether the server answers for its root at least. */
  async #silence(): Promise<Extract<Outcome, { kind: 'silence' }>> {
    const { lane, era } = this.#on();
    const end = await lane.run(batchOf([], [rootQuestion(era)]), deaf);
    const later = end === 'done' ? { answered: 1, unanswered: 0 } : { answered: 0, unanswered: 1 };
    return { kind: 'silence', waitedMs: this.#orders.replyTimeoutMs, later };
  }

  async #exit(): Promise<ServerExit> {
    const exit = await this.#on().life.died();
    this.#lives.ended();
    return exit;
  }

  async #lost(end: LaneEnd): Promise<RelightError> {
    const said = end === 'died' ? (await this.#exit()).stderr.slice(-2) : [];
    const what = end === 'died' ? 'ended' : 'fell silent';
    return new RelightError(
      'server',
      [`${this.#orders.command[0]} ${what} although its ids were right`, ...said].join('; '),
      { remedy: 'try the command by itself, or a replay of the trace' },
    );
  }

  /** The request with the numbers of the running life. */
  #frameOf(request: CaseRequest): Uint8Array {
    const into = new Uint8Array(request.bytes.length);
    fillRequest(request, { into, number: 1, bindings: this.#on().bindings, numberOf: () => 1 });
    return into;
  }

  #sessionOf(negotiated: Negotiated): Session {
    const words = JSON.stringify(negotiated, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    const known = this.#sessions.get(words);
    if (known !== undefined) return known;
    const session = { negotiated, shapes: shapesOf(negotiated) };
    this.#sessions.set(words, session);
    return session;
  }

  #on(): Scenery {
    if (this.#scenery === undefined) throw new Error('a stage on which nothing began');
    return this.#scenery;
  }
}

interface Session {
  readonly negotiated: Negotiated;
  readonly shapes: ReadonlyMap<number, Shape>;
}

const NODEID_AT = 16;
const nothing = new Uint8Array(0);
const deaf: LaneListener = { onReply: () => undefined, onStray: () => undefined };

/** Whether the server answers for its root; it comes behind every batch. */
const rootQuestion = ({ negotiated }: Era): CaseRequest =>
  requestOf({ name: 'GETATTR', header: { unique: 0n, nodeid: 1n } }, negotiated);

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

const bindMemory = (
  { symbols }: Plan,
  incarnation: number,
  { bindings, life }: Pick<Scenery, 'bindings' | 'life'>,
): void => {
  const maps = once(() => life.maps);
  for (const { id, spot } of symbols) {
    if (spot?.incarnation !== incarnation) continue;
    const address = addressOf(spot.place, maps());
    if (address !== undefined) bindings.set(id, address);
  }
};
