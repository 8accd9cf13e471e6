/**
 * One server command on stage: its first life hands out ids and is killed, the next ones meet the cases, each with live ids of
 * its own. Which cases are tried, and when a life is over, is for others to say.
 */

import { Cleanup } from '../base/cleanup.js';
import { RelightError } from '../base/error.js';
import type { InitOffer } from '../kernel/negotiation.js';
import { gravest, isUnsafe, type Judgement } from '../oracle/verdict.js';
import { Bindings } from '../plan/bindings.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { offerOf } from '../replay/offer.js';
import { batchOf } from './batch.js';
import type { Case } from './case.js';
import { Conversation, type Failure, rootQuestion } from './conversation.js';
import type { Environment } from './environment.js';
import { Inspector, lookAt } from './inspector.js';
import { Lawful } from './lawful.js';
import type { Life } from './life.js';
import { Lives, type ServerOrders } from './lives.js';
import { Observer } from './observe.js';
import { type Memory, Past, remember } from './past.js';
import type { Preparation, Prepare, PreparingStep } from './preparation.js';
import { Preparer } from './preparer.js';
import { type Replies, Report } from './report.js';
import { benchOf, bindMemory, type Scenery } from './scenery.js';
import { type Halves, halvesOf, Witness } from './second-sending.js';
import { Sessions } from './sessions.js';
import type { Era } from './world.js';

/** How a server is put on stage. */
export interface StageOrders extends ServerOrders {
  /** Requests of cases under way at once at most; 1 where their order matters. */
  readonly depth: number;
  /** How long a reply may take before the server counts as hanging. */
  readonly replyTimeoutMs: number;
}

/** A life that is ready for cases. */
interface Act extends Scenery {
  readonly inspector: Inspector;
}

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
  readonly #preparer = new Preparer();
  readonly #sessions = new Sessions();
  #past = new Past();
  #bindings = Bindings.of({ symbols: [] });
  #isStoreChanged = false;
  #depth: number;
  #act: Act | undefined;

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
    return this.#preparer.taken(step);
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
    return this.#act?.talk.isUp === true;
  }

  /** What began last; `undefined` before anything did. */
  get preparation(): Preparation | undefined {
    return this.#act?.preparation;
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
    this.#act = undefined;
    this.#past = new Past();
    this.#bindings = Bindings.of(preparation);
    const last = preparation.lives.length - 1;
    for (let incarnation = 0; incarnation < last; incarnation++) {
      const offer = offerFor(preparation);
      const plain = { ...environment, whileDown: undefined };
      const life =
        incarnation === 0 ? await this.#lives.first(offer, plain) : await this.#lives.next(offer, plain);
      const facts = { life: incarnation, isStoreChanged: false };
      this.#past.add(await this.#prepare(this.#sceneryOf(preparation, life, facts)));
      await life.kill();
    }
    await this.restart(prepare, environment);
    this.#observer.forget();
  }

  /**
   * Kills the server and starts its last life again, with live ids of its own; the old ids stay what they are. The preparation
   * has the earlier lives of the one that began, and the same symbols.
   */
  async restart(prepare: Prepare, environment: Environment): Promise<void> {
    this.#act = undefined;
    const isStoreChanged = environment.whileDown !== undefined;
    if (isStoreChanged || this.#isStoreChanged) this.#observer.forget();
    this.#isStoreChanged = isStoreChanged;
    const life = await this.#lives.next(offerFor(prepare(undefined), environment), environment);
    const preparation = prepare(life.negotiated);
    const facts = { life: preparation.lives.length - 1, isStoreChanged };
    const scenery = this.#sceneryOf(preparation, life, facts);
    const { look } = await this.#prepare(scenery);
    this.#observer.meet(benchOf(scenery));
    this.#act = {
      ...scenery,
      inspector: new Inspector(scenery, this.#observer, { before: look, store: this.#lives.store }),
    };
  }

  /** Sends the requests of some cases, and what came of each. The server may be dead or hang afterwards. */
  async play(cases: readonly Case[]): Promise<Replies> {
    const { talk, era, world, lawful, inspector } = this.#on();
    for (const one of cases) lawful.take(one, world, era);
    const batch = batchOf(cases, [rootQuestion(era.negotiated)]);
    const report = new Report(cases, batch, this.#observer);
    const end = await talk.run(batch, report);
    if (report.isStoreChanged || end !== 'done') this.#lives.spoil();
    inspector.note(cases, report);
    const { slots } = talk;
    return end === 'done' ? report.well(slots) : report.failed(await talk.outcomeOf(end), slots);
  }

  /**
   * Plays one case by itself and looks closely: its reply, the objects and live ids afterwards, and what stands behind its ids
   * where the reply does not tell. The gravest judgement about it first; there is always one.
   */
  async examine(one: Case): Promise<readonly Judgement[]> {
    const halves = halvesOf(one);
    if (halves === undefined) return this.#examineWhole(one);
    const { observations, suspicions, trouble } = await this.play([halves.first]);
    if (trouble !== undefined) return [trouble.judgement, ...suspicions.map(({ judgement }) => judgement)];
    return observations[0]?.errno === 0 ? this.#examineSecond(halves) : this.#examineWhole(one);
  }

  /** The first sending was done: what the second one changes is done twice. */
  async #examineSecond({ request, repeats, second }: Halves): Promise<readonly Judgement[]> {
    const act = this.#on();
    const { talk } = act;
    const number = talk.base + repeats;
    const witness = await Witness.of(act, request);
    if (witness === undefined) return this.check();
    const judgements = await this.#examineWhole(second(number - talk.next));
    const twice = talk.isUp ? await witness.judge(this.#observer.scene()) : undefined;
    return twice === undefined ? judgements : [gravest(twice, ...judgements), ...judgements];
  }

  async #examineWhole(one: Case): Promise<readonly Judgement[]> {
    const { observations, suspicions, trouble } = await this.play([one]);
    const request = one.requests[one.wrong];
    const own = observations[0]?.judgement;
    const others = suspicions.map(({ judgement }) => judgement).filter((judgement) => judgement !== own);
    if (trouble !== undefined) return [trouble.judgement, ...others];
    if (request === undefined || own === undefined) return others;
    const later = await this.check();
    const isOpen = own.followUps.includes('identify');
    const told = isOpen ? await this.#on().inspector.identify(request, own) : own;
    return [gravest(told, ...later), ...others];
  }

  /**
   * Looks at the objects of the running life again: what changed without being meant, and which ids that it handed out itself
   * do not work any more since the last look. Unsafe judgements, held against the last case; none when all is well.
   */
  async check(): Promise<readonly Judgement[]> {
    const { inspector, talk } = this.#on();
    const judgements = await inspector.check();
    if (!talk.isUp || judgements.some(({ verdict }) => isUnsafe(verdict))) this.#lives.spoil();
    return judgements;
  }

  #sceneryOf(preparation: Preparation, life: Life, facts: Pick<Era, 'life' | 'isStoreChanged'>): Scenery {
    const { negotiated, shapes } = this.#sessions.of(life.negotiated);
    const bindings = this.#bindings;
    const { replyTimeoutMs } = this.#orders;
    const talk = new Conversation({ life, shapes, bindings, depth: this.#depth, replyTimeoutMs });
    const world = this.#past.worldFor(preparation, negotiated);
    const era: Era = { ...facts, negotiated, bindings };
    return { preparation, bindings, world, life, talk, era, lawful: new Lawful() };
  }

  /** Sends what prepares a life, binds what it mints and looks at it. */
  async #prepare(scenery: Scenery): Promise<Memory> {
    const { preparation, era, world } = scenery;
    const told = await this.#preparer.play(preparation.lives[era.life] ?? [], scenery);
    if (typeof told === 'string') throw await this.#lost(scenery, told);
    bindMemory(scenery);
    const look = await lookAt(scenery);
    if (typeof look === 'string') throw await this.#lost(scenery, look);
    const memory = { era, told, look };
    remember(world, memory);
    return memory;
  }

  async #lost({ life }: Scenery, failure: Failure): Promise<RelightError> {
    const said = failure === 'died' ? (await life.died()).stderr.slice(-2) : [];
    const what = failure === 'died' ? 'ended' : 'fell silent';
    return new RelightError(
      'server',
      [`${this.#orders.command[0]} ${what} although its ids were right`, ...said].join('; '),
      { remedy: 'try the command by itself, or a replay of the trace' },
    );
  }

  #on(): Act {
    if (this.#act === undefined) throw new Error('a stage on which nothing began');
    return this.#act;
  }
}
