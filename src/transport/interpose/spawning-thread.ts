/** Thread that starts servers: they and their helpers inherit its filter and its view of the file system. It must not answer traps. */

import { parentPort, workerData } from 'node:worker_threads';
import { confine } from '../confinement.js';
import { spawnCommand } from '../spawn.js';
import { installFilter } from './listener.js';
import type { FromSpawning, SpawnCommand, SpawningSetup, ToSpawning } from './messages.js';

const port = parentPort;
const { intercepts, writable } = workerData as SpawningSetup;
const tell = (message: FromSpawning): void => port?.postMessage(message);

const confinement = writable === undefined ? undefined : confine(writable);

const start = (command: SpawnCommand): void => {
  if (typeof confinement === 'object') confinement.open();
  const child = spawnCommand(command);
  child.once('error', (error) => tell({ kind: 'failed', error: error.message }));
  if (child.pid === undefined) return;
  const pid = child.pid;
  tell({ kind: 'spawned', pid });
  child.stderr?.on('data', (chunk: Buffer) => tell({ kind: 'stderr', chunk: Uint8Array.from(chunk) }));
  child.once('exit', (code, signal) => tell({ kind: 'exited', pid, code, signal }));
};

port?.on('message', (message: ToSpawning) => {
  if (message.kind === 'spawn') start(message.command);
  else port.close();
});

tell({
  kind: 'ready',
  listener: intercepts ? installFilter() : undefined,
  confinement: typeof confinement === 'number' ? -confinement : 0,
});
