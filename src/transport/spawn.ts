/** Starts a program with exactly the surroundings that its user gave it. Knows nothing of FUSE. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { SpawnCommand } from './interpose/messages.js';
import { affinity, personality, setAffinity } from './libc.js';

const ADDR_NO_RANDOMIZE = 0x0040000;
const ASK = 0xffffffff;
/** Runs with the calling thread's address randomisation and processors as the command wants them: children inherit both. */
const withThread = <T>(command: SpawnCommand, start: () => T): T => {
  const persona = personality(ASK);
  const cpus = affinity(0);
  if (command.aslr === 'off') personality(persona | ADDR_NO_RANDOMIZE);
  if (command.cpus !== undefined) setAffinity(0, command.cpus);
  try {
    return start();
  } finally {
    if (command.aslr === 'off') personality(persona);
    if (command.cpus !== undefined) setAffinity(0, cpus);
  }
};

/** Standard output of a worker thread is a stream, not descriptor 1. */
const outputs = { inherit: 1, stderr: 2, ignore: 'ignore' } as const;

/** Starts the command from the calling thread; standard error becomes a pipe, so that its last lines can be kept. */
export const spawnCommand = (command: SpawnCommand): ChildProcess => {
  const [program = '', ...args] = command.argv;
  return withThread(command, () =>
    spawn(program, args, {
      cwd: command.cwd,
      env: command.env,
      detached: command.detached,
      stdio: [
        command.stdin,
        outputs[command.stdout],
        'pipe',
        ...(command.handOver === undefined ? [] : [command.handOver]),
      ],
    }),
  );
};
