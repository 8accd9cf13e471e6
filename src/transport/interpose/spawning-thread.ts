/** Thread that carries the filter, for good, and starts servers: they and their helpers inherit it. It must not answer traps. */

import { parentPort } from 'node:worker_threads';
import { spawnCommand } from '../spawn.js';
import { installFilter } from './listener.js';
import type { FromSpawning, SpawnCommand, ToSpawning } from './messages.js';

const port = parentPort;
const tell = (message: FromSpawning): void => port?.postMessage(message);

const start = (command: SpawnCommand): void => {
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

const listener = installFilter();
tell(listener < 0 ? { kind: 'unavailable', error: -listener } : { kind: 'ready', listener });
