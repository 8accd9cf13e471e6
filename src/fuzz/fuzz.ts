/** Holds a campaign on a real server: makes the cast and the cases, puts the server on stage, and keeps what is found. */

import { statSync } from 'node:fs';
import { Cleanup } from '../base/cleanup.js';
import { RelightError } from '../base/error.js';
import { type Rng, rng } from '../base/rng.js';
import type { Judgement } from '../oracle/verdict.js';
import type { Plan } from '../plan/plan.js';
import { Campaign, type CampaignStatus, type Limits } from './campaign.js';
import type { CampaignFolder, CampaignSubject } from './campaign-folder.js';
import type { Case } from './case.js';
import { planOf } from './case-plan.js';
import { Castings } from './castings.js';
import { type Environment, plainEnvironment } from './environment.js';
import { type World, worlds } from './environments.js';
import type { Finding, Versions } from './finding.js';
import { minimise } from './minimise.js';
import { type Attack, attacksOn, mutators } from './mutators.js';
import { Scheduler } from './scheduler.js';
import { Stage, type StageOrders } from './stage.js';
import { StageGround } from './stage-ground.js';
import { Triage } from './triage.js';
import { Trial } from './trial.js';

/** What to fuzz, how long, and where to keep what is found. */
export interface FuzzOrders {
  readonly server: Omit<StageOrders, 'depth'>;
  readonly plan: Plan;
  /** Names of the plan's trace and the like: another campaign has others. */
  readonly material: string;
  /** Names of mutators, or of families; all when empty. */
  readonly mutate: readonly string[];
  /** Names of operations; all when empty. */
  readonly ops: readonly string[];
  readonly seed: number;
  readonly limits: Limits;
  readonly folder: CampaignFolder;
  /** Goes on with what the folder holds. */
  readonly resume: boolean;
  readonly versions: Versions;
}

/** Who is told what goes on. */
export interface FuzzListener {
  readonly onProgress?: (status: CampaignStatus) => void;
  readonly onFinding?: (finding: Finding, path: string) => void;
  /** Told of a verdict that was seen again often enough; the finding follows when it has been made small. */
  readonly onBelieved?: (judgement: Judgement) => void;
  /** Asked again and again; once it says true, the campaign ends and nothing is made smaller any more. */
  readonly isStopped?: () => boolean;
}

/** What a campaign came to. */
export interface FuzzResult {
  readonly status: CampaignStatus;
  readonly findings: readonly Finding[];
  /** Operations that were tried. */
  readonly ops: readonly string[];
}

/** Requests under way at once: the server is never idle, and a death leaves few suspects. */
const DEPTH = 128;
/** Runs on fresh servers that making one finding smaller may take. */
const MINIMISE_RUNS = 48;
/** The status file is for people who watch, not for every batch. */
const STATUS_MS = 500;

/** Holds the campaign. Throws a RelightError when the server does not start or nothing can be tried on this plan. */
export const fuzz = async (orders: FuzzOrders, listener: FuzzListener = {}): Promise<FuzzResult> => {
  const cleanup = new Cleanup();
  try {
    const { server } = orders;
    const stage = await Stage.open({ ...server, depth: DEPTH });
    cleanup.defer(() => stage.close());
    return await new Session(orders, listener, { stage, trial: Trial.on(stage) }).run();
  } finally {
    await cleanup.run();
  }
};

interface Servers {
  readonly stage: Stage;
  readonly trial: Pick<Trial, 'run'>;
}

/** What a mutator is called by on the command line: its name or that of its family. */
const isWanted = ({ mutator, op }: Attack, { mutate, ops }: FuzzOrders): boolean => {
  const named =
    mutate.length === 0 || mutate.some((name) => name === mutator.name || name === mutator.family);
  return named && (ops.length === 0 || ops.includes(op.name));
};

class Session {
  readonly #orders: FuzzOrders;
  readonly #listener: FuzzListener;
  readonly #servers: Servers;
  readonly #attacks: ReadonlyMap<string, Attack>;
  readonly #castings: Castings;
  readonly #ground: StageGround;
  readonly #nextWorld: Generator<World, never>;
  readonly #worlds: World[] = [];
  #environment: Environment = plainEnvironment;
  #reportedMs = 0;

  constructor(orders: FuzzOrders, listener: FuzzListener, servers: Servers) {
    this.#orders = orders;
    this.#listener = listener;
    this.#servers = servers;
    const { plan, seed, server } = orders;
    this.#castings = new Castings(plan, seed);
    this.#ground = new StageGround(servers.stage, this.#castings);
    this.#nextWorld = worlds({
      negotiated: plan.negotiated,
      rng: rng(seed),
      storeChanges: isDirectory(server.snapshot[0]),
    });
    const seeds = this.#castings.seedsIn(plan.negotiated);
    const attacks = attacksOn(seeds, this.#castings.cast).filter((attack) => isWanted(attack, orders));
    this.#attacks = new Map(attacks.map((attack) => [keyOf(attack.mutator.name, attack.op.name), attack]));
    if (this.#attacks.size === 0)
      throw new RelightError('usage', 'there is nothing to try', {
        remedy: 'use a longer trace, or fewer restrictions by --mutate and --ops',
      });
  }

  async run(): Promise<FuzzResult> {
    const { folder, limits, seed } = this.#orders;
    const arms = [...this.#attacks.values()].map(({ mutator, op }) => ({
      ...{ mutator: mutator.name, op: op.name, weight: mutator.weight },
    }));
    const kept = this.#orders.resume ? folder.resume(this.#subject, arms) : undefined;
    const scheduler = new Scheduler(arms, kept?.arms);
    const triage = this.#triage();
    if (kept !== undefined) triage.resume(kept.findings, kept.dismissed);
    const campaign = new Campaign({
      ...{ ground: this.#ground, scheduler, triage, seed, limits },
      ...(kept !== undefined && { resumed: kept.state }),
      isStopped: () => this.#isStopped,
      makeCase: ({ mutator, op }, random) => this.#makeCase(keyOf(mutator, op), random),
      environmentOf: (life) => this.#environmentOf(life),
      onProgress: (status) => this.#progress(status),
      onFinding: (finding) => this.#listener.onFinding?.(finding, folder.keep(finding)),
      onLife: (state) => {
        folder.note(this.#subject, state, { arms: scheduler.state, dismissed: triage.dismissed });
      },
    });
    const status = await campaign.run();
    folder.report(status);
    return { status, findings: triage.findings, ops: [...new Set(arms.map(({ op }) => op))] };
  }

  get #subject(): CampaignSubject {
    const { seed, server, material, mutate, ops } = this.#orders;
    const { command, snapshot } = server;
    return { seed, argv: command, snapshot, material: JSON.stringify([material, mutate, ops]) };
  }

  /** A case in the session of the running life, which may lack an operation that the plan's had. */
  #makeCase(key: string, random: Rng): Case | undefined {
    const attack = this.#attacks.get(key);
    if (attack === undefined) return undefined;
    const { mutator, op, seeds } = attack;
    const session = this.#ground.sessionIn(this.#environment);
    const isUsual = session === this.#castings.cast.negotiated;
    const seed = random.pick(isUsual ? seeds : (this.#castings.seedsIn(session).get(op) ?? []));
    const cast = this.#castings.castIn(session, this.#environment.relookup);
    return seed && mutator.make(seed, cast, random);
  }

  /** The world of the nth life: a stream that is drawn to that place. */
  #environmentOf(life: number): Environment {
    while (this.#worlds.length <= life) this.#worlds.push(this.#nextWorld.next().value);
    this.#environment = this.#worlds[life]?.environment ?? plainEnvironment;
    return this.#environment;
  }

  #triage(): Triage {
    const { plan, server, seed, versions } = this.#orders;
    const { stage, trial } = this.#servers;
    const { command, cwd, env, snapshot } = server;
    return new Triage({
      planOf: (cases, environment) =>
        planOf(this.#ground.preparationFor(environment), cases, {
          session: { ...plan, negotiated: this.#ground.sessionIn(environment) },
          taken: (step) => stage.taken(step),
        }),
      trial: (wanted, environment) => trial.run(wanted, environment),
      minimise: (wanted, stillFails) =>
        minimise(wanted, async (smaller) => !this.#isStopped && (await stillFails(smaller)), {
          budget: MINIMISE_RUNS,
        }),
      onBelieved: (judgement) => this.#listener.onBelieved?.(judgement),
      isSendable: (name) => mutators.find((mutator) => mutator.name === name)?.sendable !== false,
      common: { command: { argv: command, cwd, env: env ?? {} }, snapshot, seed, versions },
    });
  }

  get #isStopped(): boolean {
    return this.#listener.isStopped?.() === true;
  }

  #progress(status: CampaignStatus): void {
    this.#listener.onProgress?.(status);
    const now = performance.now();
    if (now - this.#reportedMs < STATUS_MS) return;
    this.#reportedMs = now;
    this.#orders.folder.report(status);
  }
}

const isDirectory = (path: string | undefined): boolean =>
  path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const keyOf = (mutator: string, op: string): string => `${mutator}\t${op}`;
