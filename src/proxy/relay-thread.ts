/** Thread of the relay. Between messages it waits in poll, where the session's wake-up reaches it. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { setAffinity } from '../transport/libc.js';
import type { FromRelay, RelayOptions, ToRelay } from './messages.js';
import { Relay } from './relay.js';

const port = parentPort;
const options = workerData as RelayOptions;
if (options.cpus !== undefined) setAffinity(0, options.cpus);
const relay = new Relay(options, (message: FromRelay) => port?.postMessage(message));

/** False when the thread shall end. */
const obey = (message: ToRelay): boolean => {
  if (message.kind === 'connect') relay.connect(message);
  else relay.stop();
  return message.kind !== 'stop';
};

const serve = (): void => {
  for (;;) {
    for (let next = port && receiveMessageOnPort(port); next; next = port && receiveMessageOnPort(port))
      if (!obey(next.message as ToRelay)) return;
    relay.run();
  }
};

serve();
port?.close();
