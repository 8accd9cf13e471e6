/**
 * One server command on stage: its first life hands out ids and is killed, the next ones meet the cases, each with live ids of
 * its own. Which cases are tried, and when a life is over, is for others to say.
 */

import { Cleanup } from '../base/cleanup.js';
import { RelightError } from '../base/error.js';
import { Slab } from '../base/slab.js';
import type { InitOffer } from '../kernel/negotiation.js';
import { type Shape, shapesOf } from '../kernel/shape.js';
import { crashReport } from '../oracle/crash-report.js';
import type { ServerExit } from '../oracle/exit.js';
import type { Outcome } from '../oracle/probe.js';
import { gravest, isUnsafe, type Judgement } from '../oracle/verdict.js';
import { Bindings } from '../plan/bindings.js';
import { errorOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { offerOf } from '../replay/offer.js';
import { judgeAftermath } from './aftermath.js';
import { batchOf } from './batch.js';
import type { Case, CaseRequest } from './case.js';
import type { Environment } from './environment.js';
import { fillRequest } from './fill.js';
import { Lane, type LaneEnd, type LaneListener } from './lane.js';
import { Lawful } from './lawful.js';
import type { Life } from './life.js';
import { Lives, type ServerOrders } from './lives.js';
import { addressOf } from './memory-spots.js';
import { isSentAgain, Observer } from './observe.js';
import { bindMinted, type Preparation, type Prepare, type PreparingStep, stretches } from './preparation.js';
import { type Replies, Report } from './report.js';
import { type Look, requestOf, survey } from './survey.js';
import { type Era, World } from './world.js';

/** How a server is put on stage. */
export interface StageOrders extends ServerOrders {
  /** Requests of cases under way at once at most; 1 where their order matters. */
  readonly depth: number;
  /** How long a reply may take before the server counts as hanging. */
  readonly replyTimeoutMs: number;
}

/** What runs. */
interface Scenery {
  readonly preparation: Preparation;
  readonly bindings: Bindings;
  readonly world: World;
  readonly life: Life;
  readonly lane: Lane;
  readonly era: Era;
  readonly lawful: Lawful;
}

interface LifeFacts {
  readonly incarnation: number;
  readonly isStoreChanged: boolean;
}

/** A step and the good reply to it. */
interface Told {
  readonly step: PreparingStep;
  readonly reply: Uint8Array;
}

/** What a life told of its objects. */
interface Memory {
  readonly era: Era;
  readonly told: readonly Told[];
  readonly look: Look;
}

const remember = (world: World, { era, told, look }: Memory): void => {
  for (const { step, reply } of told) world.learn(step, reply, era);
  for (const { object, result } of look.uses.values())
    if (result.kind === 'good') world.meet(object, result.told, era);
};

const asRequest = ({ op, bytes, patches }: PreparingStep): CaseRequest => ({
  ...{ op, bytes, patches },
  resent: false,
});

/** What INIT offers to a life; the environment counts for the last one. */
const offerFor = ({ init }: Preparation, environment?: Environment): InitOffer => {
  const usual = { ...offerOf({ init }), defaultPermissions: true };
  if (environment === undefined) return usual;
  const { minor = usual.minor, withoutFlags } = environment;
  return { ...usual, minor, flags: usual.flags & ~withoutFlags };
};

/** A stage for one server. `begin` comes first, `close` last. */
export class Stage {
  readonly #orders: StageOrders;
  readonly #lives: Lives;
  readonly #cleanup: Cleanup;
  readonly #observer = new Observer();
  /** One object for each session that was settled, since much is worked out once for each. */
  readonly #sessions = new Map<string, Session>();
  /** Preparing steps whose first frame was refused, and the frame that was taken instead. */
  readonly #taken = new Map<PreparingStep, Uint8Array | undefined>();
  /** What the earlier lives told. */
  #past: Memory[] = [];
  #bindings = Bindings.of({ symbols: [] });
  #isStoreChanged = false;
  #depth: number;
  #isUp = false;
  readonly #slab = new Slab();
  #scenery: Scenery | undefined;
  #before: Look | undefined;
  #last:
    | { readonly request: CaseRequest; readonly errno: number | undefined; readonly isAgain: boolean }
    | undefined;
  #played = 0;

  private constructor(orders: StageOrders, lives: Lives, cleanup: Cleanup) {
    this.#orders = orders;
    this.#lives = lives;
    this.#cleanup = cleanup;
    this.#depth = orders.depth;
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

  /** The frame of a preparing step that the server took when it was sent last; `undefined` when it refused all of them. */
  taken(step: PreparingStep): Uint8Array | undefined {
    return this.#taken.has(step) ? this.#taken.get(step) : step.bytes;
  }

  /** Whether the lives minted all that their preparation expects. */
  get isPrepared(): boolean {
    const { preparation, bindings } = this.#on();
    return preparation.lives.every((steps) =>
      steps.every(({ mints }) => mints.every(({ symbol }) => bindings.isBound(symbol))),
    );
  }

  /** What the running life settled. */
  get session(): Negotiated {
    return this.#on().era.negotiated;
  }

  /** Times that the server was started. */
  get starts(): number {
    return this.#lives.starts;
  }

  /** Whether the running life answered the last time that it was asked. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** What began last; `undefined` before anything did. */
  get preparation(): Preparation | undefined {
    return this.#scenery?.preparation;
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
   * Plays all lives up to the cases: on a fresh store, each killed before the next. Throws `server` when one does not come up
   * or does not survive its own ids. `depth` stands in place of that of the orders up to the next beginning.
   */
  async begin(prepare: Prepare, environment: Environment, depth = this.#orders.depth): Promise<void> {
    this.#depth = depth;
    const preparation = prepare(undefined);
    this.#past = [];
    this.#bindings = Bindings.of(preparation);
    const last = preparation.lives.length - 1;
    for (let incarnation = 0; incarnation < last; incarnation++) {
      const offer = offerFor(preparation);
      const plain = { ...environment, whileDown: undefined };
      const life =
        incarnation === 0 ? await this.#lives.first(offer, plain) : await this.#lives.next(offer, plain);
      await this.#prepare(preparation, { life, incarnation, isStoreChanged: false });
      await life.kill();
      this.#lives.ended();
    }
    await this.restart(prepare, environment);
    this.#observer.forget();
  }

  /**
   * Kills the server and starts its last life again, with live ids of its own; the old ids stay what they are. The preparation
   * has the earlier lives of the one that began, and the same symbols.
   */
  async restart(prepare: Prepare, environment: Environment): Promise<void> {
    const isStoreChanged = environment.whileDown !== undefined;
    if (isStoreChanged || this.#isStoreChanged) this.#observer.forget();
    this.#isStoreChanged = isStoreChanged;
    const life = await this.#lives.next(offerFor(prepare(undefined), environment), environment);
    const preparation = prepare(life.negotiated);
    await this.#prepare(preparation, { life, incarnation: preparation.lives.length - 1, isStoreChanged });
    const { world, era } = this.#on();
    const maps = once(() => life.maps);
    this.#observer.meet({ world, era, maps, frameOf: (request) => this.#frameOf(request) });
  }

  /** Sends the requests of some cases, and what came of each. The server may be dead or hang afterwards. */
  async play(cases: readonly Case[]): Promise<Replies> {
    const scenery = this.#on();
    const { lane, era, world, lawful } = scenery;
    for (const one of cases) lawful.take(one, world, era);
    const batch = batchOf(cases, [rootQuestion(era)]);
    const report = new Report(cases, batch, this.#observer);
    const end = await lane.run(batch, report);
    this.#isUp = end === 'done';
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
    const { observations, suspicions, trouble } = await this.play([one]);
    const request = one.requests[one.wrong];
    const own = observations[0]?.judgement;
    const others = suspicions.map(({ judgement }) => judgement).filter((judgement) => judgement !== own);
    if (trouble !== undefined) return [trouble.judgement, ...others];
    if (request === undefined || own === undefined) return others;
    const later = await this.check();
    const told = own.followUps.includes('identify') ? await this.#identify(request, own) : own;
    return [gravest(told, ...later), ...others];
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
    const { bindings } = this.#on();
    const after = await survey(world.targets(bindings), (asked) => this.#answers(asked), era);
    if (typeof after === 'string') return [await this.#lateEnd(last.request, after)];
    remember(world, { era, told: [], look: after });
    const probe = world.probeOf(last.request, this.#frameOf(last.request), era);
    const judgements = judgeAftermath(
      {
        ...{ probe, before, after, errno: last.errno, isAgain: last.isAgain, isAlone: this.#played === 1 },
        isOld: world.usesOld(last.request),
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

  /** Sends what prepares a life, binds what it mints and looks at it. */
  async #prepare(
    preparation: Preparation,
    { life, incarnation, isStoreChanged }: Pick<Scenery, 'life'> & LifeFacts,
  ): Promise<void> {
    const { negotiated, shapes } = this.#sessionOf(life.negotiated);
    const bindings = this.#bindings;
    const era: Era = { life: incarnation, negotiated, bindings, isStoreChanged };
    const { replyTimeoutMs } = this.#orders;
    const lane = new Lane({ life, shapes, bindings, depth: this.#depth, replyTimeoutMs });
    const world = this.#worldOf(preparation, negotiated);
    this.#scenery = { preparation, bindings, world, life, lane, era, lawful: new Lawful() };
    const told = await this.#told(preparation.lives[incarnation] ?? []);
    if (typeof told === 'string') throw await this.#lost(told);
    bindMemory(preparation, incarnation, { bindings, life });
    const look = await survey(world.targets(bindings, incarnation), (asked) => this.#answers(asked), era);
    if (typeof look === 'string') throw await this.#lost(look);
    this.#before = look;
    const memory = { era, told, look };
    remember(world, memory);
    if (incarnation < preparation.lives.length - 1) this.#past.push(memory);
  }

  /** What the earlier lives told, without what the last one before this did. */
  #worldOf(preparation: Preparation, negotiated: Negotiated): World {
    const world = new World(preparation, this.#past[0]?.era.negotiated ?? negotiated);
    for (const memory of this.#past) remember(world, memory);
    return world;
  }

  /** Sends the steps of a preparation; the good replies. */
  async #told(steps: readonly PreparingStep[]): Promise<Told[] | 'died' | 'silent'> {
    const told: Told[] = [];
    for (const all of stretches(steps)) {
      const stretch = all.filter((step) => this.#isPossible(step));
      const replies = await this.#answers(
        stretch.map((step) => asRequest({ ...step, bytes: this.taken(step) ?? step.bytes })),
      );
      if (typeof replies === 'string') return replies;
      for (const [index, step] of stretch.entries()) {
        const reply = await this.#accepted(step, replies[index] ?? nothing);
        if (typeof reply === 'string') return reply;
        if (reply === undefined) continue;
        bindMinted(step, reply, this.#bindings);
        told.push({ step, reply });
      }
    }
    return told;
  }

  /** Whether the ids that a step relies on were given: what is not there cannot be opened. */
  #isPossible(step: PreparingStep): boolean {
    const isPossible = step.patches.every(
      (patch) => patch.kind === 'step' || this.#bindings.isBound(patch.symbol),
    );
    if (!isPossible) this.#taken.set(step, undefined);
    return isPossible;
  }

  /** The reply, or that to the next frame that may be sent instead when it was refused; absent when all were. */
  async #accepted(
    step: PreparingStep,
    reply: Uint8Array,
  ): Promise<Uint8Array | 'died' | 'silent' | undefined> {
    if (reply.length === 0) return undefined;
    if (errorOf(reply) === 0) return reply;
    for (const bytes of step.instead) {
      const replies = await this.#answers([asRequest({ ...step, bytes })]);
      if (typeof replies === 'string') return replies;
      const [next = nothing] = replies;
      if (next.length === 0 || errorOf(next) !== 0) continue;
      this.#taken.set(step, bytes);
      return next;
    }
    this.#taken.set(step, undefined);
    return undefined;
  }

  /** Replies to questions of our own; those to which none is due are empty. */
  async #answers(questions: readonly CaseRequest[]): Promise<Uint8Array[] | 'died' | 'silent'> {
    const replies: Uint8Array[] = questions.map(() => nothing);
    const listener: LaneListener = {
      onReply: (slot, reply) => {
        replies[slot] = this.#slab.copy(reply);
      },
      onStray: () => undefined,
    };
    const end = await this.#on().lane.run(batchOf([], questions), listener);
    this.#isUp = end === 'done';
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
    const isAgain = last.requests.some(isSentAgain);
    this.#last = { request, errno: report.lastErrno, isAgain };
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
      evidence: [
        ...evidence,
        'it answered the request, but not the next ones, on ids that it had handed out itself',
      ],
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
  { symbols }: Preparation,
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
