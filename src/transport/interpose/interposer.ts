/** Starts servers that meet our socket where they expect /dev/fuse; one server at a time, as often as wanted. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { errnoName } from '../../base/errno.js';
import { RelightError } from '../../base/error.js';
import { close } from '../libc.js';
import { closeWake, openWake, wake } from '../wake.js';
import type {
  FromServing,
  FromSpawning,
  SessionFacts,
  SpawnCommand,
  ToServing,
  ToSpawning,
} from './messages.js';

/** Who is told what the server does; calls come on the main thread, in order. */
export interface InterposerEvents {
  readonly onServing: (event: FromServing) => void;
  readonly onSpawning: (event: FromSpawning) => void;
}

const threadAt = (name: string, workerData?: unknown): Worker => {
  const worker = new Worker(new URL(name, import.meta.url), { workerData });
  worker.unref();
  return worker;
};

/** Two threads: one carries the filter and spawns, the other answers what the spawned processes run into. */
export class Interposer {
  readonly #spawning: Worker;
  readonly #serving: Worker;
  readonly #wakeFd: number;
  readonly #listener: number;
  #events: InterposerEvents | undefined;

  private constructor(threads: { spawning: Worker; serving: Worker; wakeFd: number; listener: number }) {
    this.#spawning = threads.spawning;
    this.#serving = threads.serving;
    this.#wakeFd = threads.wakeFd;
    this.#listener = threads.listener;
    this.#serving.on('message', (event: FromServing) => this.#events?.onServing(event));
    this.#spawning.on('message', (event: FromSpawning) => this.#events?.onSpawning(event));
  }

  /** Starts both threads. Throws `environment` where seccomp notification is not to be had. */
  static async start(): Promise<Interposer> {
    const spawning = threadAt('./spawning-thread.js');
    spawning.ref();
    const [first] = (await once(spawning, 'message')) as [FromSpawning];
    if (first.kind !== 'ready') {
      spawning.postMessage({ kind: 'stop' } satisfies ToSpawning);
      const why = first.kind === 'unavailable' ? errnoName(first.error) : first.kind;
      throw new RelightError('environment', `the kernel refuses a seccomp listener: ${why}`, {
        remedy:
          'give the server its channel by {fd}, or run where seccomp user notification is allowed (see relight doctor)',
      });
    }
    const wakeFd = openWake();
    const serving = threadAt('./serving-thread.js', { listenerFd: first.listener, wakeFd });
    serving.ref();
    return new Interposer({ spawning, serving, wakeFd, listener: first.listener });
  }

  /** Prepares for the next server; whatever the last one still does is no longer told to its listener. */
  begin(session: SessionFacts, events: InterposerEvents): void {
    this.#events = events;
    this.#toServing({ kind: 'session', ...session });
  }

  /** Starts the server's command; `spawned` or `failed` follows. */
  spawn(command: SpawnCommand): void {
    this.#spawning.postMessage({ kind: 'spawn', command } satisfies ToSpawning);
  }

  /** The server has its end of the channel for good; the copy here was closed. */
  handedOver(): void {
    this.#toServing({ kind: 'handedOver' });
  }

  /** The real mount went away without the server's doing. */
  mountGone(): void {
    this.#toServing({ kind: 'mountGone' });
  }

  /** Ends both threads. Servers must have ended: their trapped calls would fail with ENOSYS from now on. */
  async close(): Promise<void> {
    const ended = [once(this.#serving, 'exit'), once(this.#spawning, 'exit')];
    this.#toServing({ kind: 'stop' });
    this.#spawning.postMessage({ kind: 'stop' } satisfies ToSpawning);
    await Promise.all(ended);
    closeWake(this.#wakeFd);
    close(this.#listener);
  }

  #toServing(message: ToServing): void {
    this.#serving.postMessage(message);
    wake(this.#wakeFd);
  }
}
