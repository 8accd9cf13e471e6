/**
 * Notifications on their way to the kernel, on a thread of their own: to act on one the kernel may take the lock of a
 * folder (fuse_reverse_inval_entry) or of a page (fuse_reverse_inval_inode) that the sender of a request holds until its
 * reply comes. Behind a notification that waits for a lock, that reply would never be written.
 */

import { Worker } from 'node:worker_threads';
import { NotificationState, type NotificationThread } from './messages.js';

/** From the start of the thread to its first wait: 20 ms on a quiet machine. */
const START_MS = 2000;
/** So long replies wait for a notification before them. Nearly all take microseconds; one that waits for a lock is overtaken. */
const ORDER_MS = 20;

/** Writes notifications to one device; the thread starts with the first. All calls on the relay's thread. */
export class NotificationWriter {
  readonly #device: number;
  readonly #state = new Int32Array(new SharedArrayBuffer(4 * Object.keys(NotificationState).length));
  #worker: Worker | undefined;
  #posted = 0;

  constructor(device: number) {
    this.#device = device;
  }

  /** Writes a notification, after those before it. Bytes written or -errno; 0 when the kernel still works on it. */
  write(bytes: Uint8Array): number {
    this.#worker ??= this.#start();
    const isFree = this.#done === this.#posted;
    this.#posted++;
    this.#worker.postMessage(bytes.slice());
    Atomics.add(this.#state, NotificationState.posted, 1);
    Atomics.notify(this.#state, NotificationState.posted);
    return isFree && this.#waitUntilDone() ? Atomics.load(this.#state, NotificationState.result) : 0;
  }

  /** Ends the thread once the kernel lets go of it; nothing more is written. Call before the device is closed. */
  close(): void {
    Atomics.store(this.#state, NotificationState.closed, 1);
    Atomics.add(this.#state, NotificationState.posted, 1);
    Atomics.notify(this.#state, NotificationState.posted);
  }

  get #done(): number {
    return Atomics.load(this.#state, NotificationState.done);
  }

  #start(): Worker {
    const workerData: NotificationThread = { device: this.#device, state: this.#state };
    const worker = new Worker(new URL('./notification-thread.js', import.meta.url), { workerData });
    Atomics.wait(this.#state, NotificationState.ready, 0, START_MS);
    return worker;
  }

  #waitUntilDone(): boolean {
    const deadline = performance.now() + ORDER_MS;
    for (let done = this.#done; done !== this.#posted; done = this.#done) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      Atomics.wait(this.#state, NotificationState.done, done, leftMs);
    }
    return true;
  }
}
