/** A thread that starts servers, and what it carries for good because they inherit it: a seccomp filter, a view of the file system. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FromSpawning, SpawnCommand, SpawningSetup, ToSpawning } from './interpose/messages.js';

/** One such thread. */
export class Spawner {
  /** The descriptor that the filter's traps come by, or -errno; `undefined` when no filter was wanted. */
  readonly listener: number | undefined;
  /** 0 when what it starts is confined, as far as that was wanted; else the errno. */
  readonly confinement: number;
  readonly #thread: Worker;
  #onEvent: ((event: FromSpawning) => void) | undefined;

  private constructor(thread: Worker, ready: Extract<FromSpawning, { kind: 'ready' }>) {
    this.#thread = thread;
    this.listener = ready.listener;
    this.confinement = ready.confinement;
    thread.on('message', (event: FromSpawning) => this.#onEvent?.(event));
  }

  /** Starts the thread. */
  static async start(setup: SpawningSetup): Promise<Spawner> {
    const thread = new Worker(new URL('./interpose/spawning-thread.js', import.meta.url), {
      workerData: setup,
    });
    const [first] = (await once(thread, 'message')) as [Extract<FromSpawning, { kind: 'ready' }>];
    return new Spawner(thread, first);
  }

  /** Starts a command; `spawned` or `failed` follows. What earlier commands still do is no longer told to their listener. */
  spawn(command: SpawnCommand, onEvent: (event: FromSpawning) => void): void {
    this.#onEvent = onEvent;
    this.#send({ kind: 'spawn', command });
  }

  /** Ends the thread. Servers must have ended. */
  async close(): Promise<void> {
    const ended = once(this.#thread, 'exit');
    this.#send({ kind: 'stop' });
    await ended;
  }

  #send(message: ToSpawning): void {
    this.#thread.postMessage(message);
  }
}
