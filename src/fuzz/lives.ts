/**
 * Where the lives of one server command come from: each is started in its environment, on a store that is put back when an
 * earlier one spoiled it. What they are asked is not known here.
 */

import { statSync } from 'node:fs';
import type { Cleanup } from '../base/cleanup.js';
import { RelightError } from '../base/error.js';
import type { InitOffer } from '../kernel/negotiation.js';
import { exitMeaning } from '../oracle/exit.js';
import { Snapshot } from '../replay/snapshot.js';
import { changeStore } from '../replay/while-down.js';
import { Launcher } from '../transport/launch.js';
import type { Sandbox } from '../transport/sandbox.js';
import type { Environment } from './environment.js';
import { Life, type StillBirth } from './life.js';

/** The server and its store. */
export interface ServerOrders {
  /** Placeholders not filled. */
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** Variables in place of those of this process; `undefined` for these. */
  readonly env: Readonly<Record<string, string>> | undefined;
  /** Paths of the store, the first one its top directory where it has one; empty where it needs none. */
  readonly snapshot: readonly string[];
  readonly sandbox: Sandbox | undefined;
  /** Runs the server under a program that reports misuse of memory. */
  readonly checker: 'valgrind' | undefined;
  /** How long a start up to the answer to INIT may take. */
  readonly startTimeoutMs: number;
}

/** Ends at the first error, since what follows one is not worth the time. */
const VALGRIND = ['valgrind', '-q', '--vgdb=no', '--exit-on-first-error=yes', '--error-exitcode=99', '--'];
/** A start that fails for no reason of ours is tried again. */
const TRIES = 3;

const withChecker = ({ command, checker }: ServerOrders): readonly string[] =>
  checker === 'valgrind' ? [...VALGRIND, ...command] : command;

/** The lives of a server, one at a time. */
export class Lives {
  readonly #orders: ServerOrders;
  readonly #launcher: Launcher;
  readonly #snapshot: Snapshot | undefined;
  #isSpoilt = false;
  #current: Life | undefined;
  #buffer: Uint8Array | undefined;
  #starts = 0;

  private constructor(orders: ServerOrders, launcher: Launcher, snapshot: Snapshot | undefined) {
    this.#orders = orders;
    this.#launcher = launcher;
    this.#snapshot = snapshot;
  }

  /** Makes ready; `cleanup` ends what runs and puts the store back. Throws a RelightError where either cannot be. */
  static async open(orders: ServerOrders, cleanup: Cleanup): Promise<Lives> {
    const { cwd, sandbox, env, snapshot } = orders;
    const kept = snapshot.length === 0 ? undefined : await Snapshot.take(snapshot);
    if (kept !== undefined) cleanup.defer(() => kept.discard());
    const launcher = await Launcher.open({
      command: withChecker(orders),
      mode: 'pretend',
      sandbox,
      ...(cwd !== undefined && { cwd }),
      ...(env !== undefined && { env }),
    });
    cleanup.defer(() => launcher.close());
    const lives = new Lives(orders, launcher, kept);
    cleanup.defer(() => lives.#close());
    return lives;
  }

  /** The backing directory; `undefined` where the store is none. */
  get store(): string | undefined {
    const [top] = this.#orders.snapshot;
    return top !== undefined && statSync(top).isDirectory() ? top : undefined;
  }

  /** Lives that came up until now. */
  get starts(): number {
    return this.#starts;
  }

  /** Notes that the store is no longer as it was. */
  spoil(): void {
    this.#isSpoilt = true;
  }

  /** A first life, on the store as it was in the beginning. */
  async first(offer: InitOffer, environment: Environment): Promise<Life> {
    await this.#restore();
    return this.#begin(offer, environment);
  }

  /** A later life, on the store as the environment wants it. */
  async next(offer: InitOffer, environment: Environment): Promise<Life> {
    await this.#restore();
    const [directory] = this.#orders.snapshot;
    if (environment.whileDown !== undefined && directory !== undefined) {
      this.#isSpoilt = true;
      await changeStore(directory, environment.whileDown);
    }
    return this.#begin(offer, environment);
  }

  async #begin(offer: InitOffer, { aslr, mallocPerturb }: Environment): Promise<Life> {
    const { env = process.env, startTimeoutMs } = this.#orders;
    const perturbed =
      mallocPerturb === undefined ? {} : { env: given({ ...env, MALLOC_PERTURB_: String(mallocPerturb) }) };
    const orders = {
      ...{ launcher: this.#launcher, offer, startTimeoutMs, buffer: this.#buffer },
      changes: { aslr, ...perturbed },
    };
    let failed: StillBirth | undefined;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const life = await Life.begin(orders);
      if (life instanceof Life) return this.#came(life);
      failed = life;
    }
    throw this.#noStart(failed);
  }

  #came(life: Life): Life {
    this.#current = life;
    this.#buffer = life.connection.buffer;
    this.#starts++;
    return life;
  }

  async #restore(): Promise<void> {
    if (this.#current !== undefined) await this.#current.kill();
    this.#current = undefined;
    if (this.#isSpoilt) await this.#snapshot?.restore();
    this.#isSpoilt = false;
  }

  async #close(): Promise<void> {
    this.#isSpoilt = true;
    await this.#restore();
  }

  #noStart(failed: StillBirth | undefined): RelightError {
    const [name] = this.#orders.command;
    const how = failed === undefined ? [] : exitMeaning(failed.exit).evidence;
    const why = failed?.why === 'silent' ? 'gave no answer to INIT in time' : 'did not answer INIT';
    return new RelightError('server', [`${name} ${why}`, ...how].join('; '), {
      remedy: 'try the command by itself; it must stay mounted',
    });
  }
}

const given = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
