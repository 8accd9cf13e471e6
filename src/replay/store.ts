/** The server's backing store around a replay: put back before the start, changed while the server is down. */

import { RelightError } from '../base/error.js';
import { runShell } from '../transport/program.js';
import type { ReplayOptions } from './options.js';
import { Snapshot } from './snapshot.js';
import { changeStore } from './while-down.js';

type StoreOptions = Pick<ReplayOptions, 'snapshot' | 'setup' | 'between' | 'whileDown' | 'cwd'>;

/** The store of one replay. */
export class Store {
  readonly #options: StoreOptions;
  readonly #snapshot: Snapshot | undefined;
  /** As the store was when the server was stopped last. */
  #atRestart: Snapshot | undefined;

  private constructor(options: StoreOptions, snapshot: Snapshot | undefined) {
    this.#options = options;
    this.#snapshot = snapshot;
  }

  /** Takes the copies. Throws a RelightError for paths that cannot be copied. */
  static async open(options: StoreOptions): Promise<Store> {
    const { snapshot, whileDown } = options;
    if (whileDown !== undefined && snapshot.length === 0)
      throw new RelightError('usage', '--while-down has no store to change', {
        remedy: "name the server's backing directory by --snapshot",
      });
    return new Store(options, snapshot.length === 0 ? undefined : await Snapshot.take(snapshot));
  }

  /** True when what a server spoils can be put back. */
  get isDisposable(): boolean {
    return this.#snapshot !== undefined;
  }

  /** The state to start from. */
  async prepare(): Promise<void> {
    await this.#snapshot?.restore();
    if (this.#options.setup !== undefined) await this.#run(this.#options.setup);
  }

  /** Keeps the state that the stopped server left, to come back to. */
  async keep(): Promise<void> {
    await this.#atRestart?.discard();
    this.#atRestart = this.isDisposable ? await Snapshot.take(this.#options.snapshot) : undefined;
  }

  /** Back to what was kept, or else to the state to start from. */
  async rewind(): Promise<void> {
    if (this.#atRestart === undefined) await this.prepare();
    else await this.#atRestart.restore();
  }

  /** What happens while the server is down; says what was changed. */
  async change(): Promise<string[]> {
    const { whileDown, between, snapshot } = this.#options;
    const [directory] = snapshot;
    const changes =
      whileDown !== undefined && directory !== undefined ? [await changeStore(directory, whileDown)] : [];
    if (between === undefined) return changes;
    await this.#run(between);
    return [...changes, `ran ${between}`];
  }

  /** Puts everything back as it was and removes the copies. */
  async close(): Promise<void> {
    await this.#atRestart?.discard();
    await this.#snapshot?.restore();
    await this.#snapshot?.discard();
  }

  async #run(command: string): Promise<void> {
    const { cwd } = this.#options;
    const { code, signal } = await runShell(command, {
      stdout: 'stderr',
      ...(cwd === undefined ? {} : { cwd }),
    }).exit;
    if (code === 0) return;
    throw new RelightError('server', `${command}: ${signal ?? `exit status ${code}`}`, {
      remedy: 'the commands of --setup and --between must succeed',
    });
  }
}
