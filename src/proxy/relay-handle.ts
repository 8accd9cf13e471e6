/** The relay as the session sees it: a thread that is told to connect and to stop, and tells what happened. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { deferred } from '../base/deferred.js';
import { closeWake, openWake, wake } from '../transport/wake.js';
import type { InitExchange } from './init-duties.js';
import type { FromRelay, RelayCounts, RelayOptions, RelaySides, ToRelay } from './messages.js';
import { THREAD_LIMITS } from './thread-limits.js';

/** The thread of a relay. */
export class RelayHandle {
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #init = deferred<InitExchange>();
  readonly #ended = deferred<'unmounted' | 'serverGone'>();
  readonly #stopped = deferred<RelayCounts>();
  #stopping: Promise<RelayCounts> | undefined;

  private constructor(worker: Worker, wakeFd: number) {
    this.#worker = worker;
    this.#wakeFd = wakeFd;
    worker.on('message', (message: FromRelay) => this.#hear(message));
    worker.on('error', (error) => {
      for (const waiting of [this.#init, this.#ended, this.#stopped]) waiting.reject(error);
    });
  }

  /** Starts the thread; it relays nothing before it is connected. */
  static async start(options: Omit<RelayOptions, 'wakeFd'>): Promise<RelayHandle> {
    const wakeFd = openWake();
    const worker = new Worker(new URL('./relay-thread.js', import.meta.url), {
      workerData: { ...options, wakeFd } satisfies RelayOptions,
      resourceLimits: THREAD_LIMITS,
    });
    await once(worker, 'online');
    return new RelayHandle(worker, wakeFd);
  }

  /** Hands both sides over to the relay, which closes them. */
  connect(sides: RelaySides): void {
    this.#tell({ kind: 'connect', ...sides });
  }

  /** The handshake, when it is complete. Pending for ever when the server never answers INIT. */
  get init(): Promise<InitExchange> {
    return this.#init.promise;
  }

  /** What ended the traffic first: the mount went away, or the server did. */
  get ended(): Promise<'unmounted' | 'serverGone'> {
    return this.#ended.promise;
  }

  /** Stops the thread, which closes both sides; what it counted. Stopping again gives the same. */
  stop(): Promise<RelayCounts> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<RelayCounts> {
    const exit = once(this.#worker, 'exit');
    this.#tell({ kind: 'stop' });
    const counts = await this.#stopped.promise;
    await exit;
    closeWake(this.#wakeFd);
    return counts;
  }

  #tell(message: ToRelay): void {
    this.#worker.postMessage(message);
    wake(this.#wakeFd);
  }

  #hear(message: FromRelay): void {
    if (message.kind === 'init') this.#init.resolve(message.exchange);
    else if (message.kind === 'stopped') this.#stopped.resolve(message.counts);
    else this.#ended.resolve(message.kind);
  }
}
