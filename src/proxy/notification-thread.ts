/** Thread that writes notifications: it may stay in the kernel until replies or the end of the connection free it. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { write } from '../transport/libc.js';
import { NotificationState, type NotificationThread } from './messages.js';

const port = parentPort;
const { device, state } = workerData as NotificationThread;

const isClosed = (): boolean => Atomics.load(state, NotificationState.closed) === 1;

const next = (): Uint8Array | undefined => (port ? receiveMessageOnPort(port)?.message : undefined);

const writeAll = (): void => {
  for (let bytes = next(); bytes !== undefined && !isClosed(); bytes = next()) {
    Atomics.store(state, NotificationState.result, write(device, bytes, bytes.length));
    Atomics.add(state, NotificationState.done, 1);
    Atomics.notify(state, NotificationState.done);
  }
};

Atomics.store(state, NotificationState.ready, 1);
Atomics.notify(state, NotificationState.ready);
while (!isClosed()) {
  const posted = Atomics.load(state, NotificationState.posted);
  writeAll();
  if (!isClosed()) Atomics.wait(state, NotificationState.posted, posted);
}
port?.close();
