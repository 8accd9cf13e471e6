/** Answers what servers that carry our filter run into: they meet our socket where they expect /dev/fuse. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { close } from '../libc.js';
import { closeWake, openWake, wake } from '../wake.js';
import type { FromServing, SessionFacts, ToServing } from './messages.js';

/** The thread that serves a filter's listener; one server at a time, as often as wanted. */
export class Interposer {
  readonly #serving: Worker;
  readonly #wakeFd = openWake();
  readonly #listener: number;
  #onEvent: ((event: FromServing) => void) | undefined;

  /** Serves the descriptor, and closes it in the end. */
  constructor(listener: number) {
    this.#listener = listener;
    this.#serving = new Worker(new URL('./serving-thread.js', import.meta.url), {
      workerData: { listenerFd: listener, wakeFd: this.#wakeFd },
    });
    this.#serving.on('message', (event: FromServing) => this.#onEvent?.(event));
  }

  /** Prepares for the next server; whatever the last one still does is no longer told to its listener. */
  begin(session: SessionFacts, onEvent: (event: FromServing) => void): void {
    this.#onEvent = onEvent;
    this.#tell({ kind: 'session', ...session });
  }

  /** The server has its end of the channel for good; the copy here was closed. */
  handedOver(): void {
    this.#tell({ kind: 'handedOver' });
  }

  /** The real mount went away without the server's doing. */
  mountGone(): void {
    this.#tell({ kind: 'mountGone' });
  }

  /** Ends the thread. Whoever carries the filter must have ended: trapped calls would fail with ENOSYS from now on. */
  async close(): Promise<void> {
    const ended = once(this.#serving, 'exit');
    this.#tell({ kind: 'stop' });
    await ended;
    closeWake(this.#wakeFd);
    close(this.#listener);
  }

  #tell(message: ToServing): void {
    this.#serving.postMessage(message);
    wake(this.#wakeFd);
  }
}
