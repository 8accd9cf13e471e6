/** The trace writer as the session sees it. */

import { Worker } from 'node:worker_threads';
import { deferred } from '../base/deferred.js';
import { RelightError } from '../base/error.js';
import type { WriterStatus } from '../trace/writer.js';
import type { FromTee, TeeOptions, ToTee } from './tee-messages.js';
import { THREAD_LIMITS } from './thread-limits.js';

/** Who hears of the trace while it is written. */
export interface TeeEvents {
  readonly onProgress?: (status: WriterStatus) => void;
  readonly onFailed?: (why: string) => void;
  readonly onWantMaps?: () => void;
}

/** The thread of a trace writer. */
export class TeeHandle {
  readonly #worker: Worker;
  readonly #events: TeeEvents;
  readonly #opened = deferred<void>();
  readonly #closed = deferred<WriterStatus>();

  private constructor(options: TeeOptions, events: TeeEvents) {
    this.#events = events;
    this.#worker = new Worker(new URL('./tee-thread.js', import.meta.url), {
      workerData: options,
      resourceLimits: THREAD_LIMITS,
    });
    this.#worker.on('message', (message: FromTee) => this.#hear(message));
    this.#worker.on('error', (error) => {
      this.#opened.reject(error);
      this.#closed.reject(error);
    });
  }

  /** Creates the trace. Throws a RelightError when it cannot be written. */
  static async open(options: TeeOptions, events: TeeEvents): Promise<TeeHandle> {
    const tee = new TeeHandle(options, events);
    await tee.#opened.promise;
    return tee;
  }

  /** Tells the writer something. */
  tell(message: Exclude<ToTee, { kind: 'close' }>): void {
    this.#worker.postMessage(message satisfies ToTee);
  }

  /** Writes what is left and closes the trace; the ring must have been closed before. Closing again gives the same. */
  close(): Promise<WriterStatus> {
    this.#worker.postMessage({ kind: 'close' } satisfies ToTee);
    return this.#closed.promise;
  }

  #hear(message: FromTee): void {
    if (message.kind === 'opened') this.#opened.resolve();
    else if (message.kind === 'refused') this.#opened.reject(new RelightError(message.code, message.message));
    else if (message.kind === 'closed') this.#closed.resolve(message.status);
    else if (message.kind === 'progress') this.#events.onProgress?.(message.status);
    else if (message.kind === 'failed') this.#events.onFailed?.(message.why);
    else this.#events.onWantMaps?.();
  }
}
