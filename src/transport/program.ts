/** Runs an ordinary program beside the servers: a workload, a set-up command. Its children die with it or are adopted. */

import { type ChildProcess, spawn } from 'node:child_process';
import { RelightError } from '../base/error.js';
import { disownChild, ownChild } from './subreaper.js';

/** How a program is run. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `stderr` sends standard output to standard error, when standard output belongs to a document. */
  readonly stdout: 'inherit' | 'stderr' | 'ignore';
}

/** How a program ended. */
export interface ProgramExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A program that was started. */
export interface Program {
  readonly exit: Promise<ProgramExit>;
  signal(signal: NodeJS.Signals): void;
}

const outputs = { inherit: 'inherit', stderr: 2, ignore: 'ignore' } as const;

/** Starts a command line by the shell, in a process group of its own. `exit` rejects with `usage` when there is no shell. */
export const runShell = (commandLine: string, options: ProgramOptions): Program => {
  const child = spawn('/bin/sh', ['-c', commandLine], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', outputs[options.stdout], 'inherit'],
    detached: true,
  });
  return { exit: exitOf(child, commandLine), signal: (signal) => signalGroup(child, signal) };
};

const exitOf = (child: ChildProcess, name: string): Promise<ProgramExit> =>
  new Promise((resolve, reject) => {
    const pid = child.pid;
    if (pid !== undefined) ownChild(pid);
    child.once('error', (cause) =>
      reject(new RelightError('usage', `cannot run ${name}: ${cause.message}`, { cause })),
    );
    child.once('exit', (code, signal) => {
      if (pid !== undefined) disownChild(pid);
      resolve({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended meanwhile.
  }
};
