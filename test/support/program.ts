/** Child processes of tests: each in a process group of its own, under a time limit, with what it printed. */

import { type ChildProcess, spawn } from 'node:child_process';

/** How to start a program; everything is inherited unless given. */
export interface ProgramOptions {
  readonly cwd?: string | undefined;
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Milliseconds after which the whole process group gets SIGKILL; 60,000 when not given. */
  readonly limitMs?: number | undefined;
  /** Text for standard input; without it standard input is empty. */
  readonly input?: string | undefined;
}

/** How a program ended and what it printed. */
export interface Finished {
  /** Exit status; `undefined` when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The limit ran out and the group was killed. */
  readonly timedOut: boolean;
  readonly elapsedMs: number;
}

/** A program that may still be running. */
export interface Running {
  readonly pid: number;
  /** Resolves when the program has ended and its output is closed; never rejects. */
  readonly finished: Promise<Finished>;
  /** Sends a signal to the program alone, or to its group; nothing happens when it is gone. */
  signal(signal: NodeJS.Signals, whom?: 'program' | 'group'): void;
  /** What it has printed so far. */
  output(): { readonly stdout: string; readonly stderr: string };
}

const defaultLimitMs = 60_000;
// A daemon that the program left behind may hold its output open for ever; what was printed until then counts.
const straggleMs = 1_000;

const closeOutput = (child: ChildProcess): void => {
  child.stdout?.destroy();
  child.stderr?.destroy();
};

const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

const collect = (child: ChildProcess) => {
  const text = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  return text;
};

/**
 * Starts a program in a process group of its own.
 * @throws Error when there is no such program
 */
export const startProgram = (argv: readonly string[], options: ProgramOptions = {}): Running => {
  const [program = '', ...args] = argv;
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: 'pipe',
  });
  const text = collect(child);
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  const { pid } = child;
  if (pid === undefined) {
    child.once('error', () => {});
    throw new Error(`cannot start ${program}: is it installed?`);
  }

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    sendSignal(-pid, 'SIGKILL');
  }, options.limitMs ?? defaultLimitMs);
  child.once('exit', () => setTimeout(() => closeOutput(child), straggleMs).unref());
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      const elapsedMs = performance.now() - startedMs;
      resolve({ status: status ?? undefined, signal: signal ?? undefined, ...text, timedOut, elapsedMs });
    });
  });
  return {
    pid,
    finished,
    signal: (signal, whom = 'program') => sendSignal(whom === 'group' ? -pid : pid, signal),
    output: () => ({ ...text }),
  };
};

/** Runs a program to its end; whatever its status is, it is a value. */
export const runProgram = (argv: readonly string[], options: ProgramOptions = {}): Promise<Finished> =>
  startProgram(argv, options).finished;

/**
 * Runs a program that has to succeed and returns its standard output.
 * @throws Error with its output when it ends with anything but 0
 */
export const mustRun = async (argv: readonly string[], options: ProgramOptions = {}): Promise<string> => {
  const { status, signal, stdout, stderr, timedOut } = await runProgram(argv, options);
  if (status === 0) return stdout;
  const how = timedOut ? 'took too long' : `ended with ${signal ?? status}`;
  throw new Error(`${argv.join(' ')} ${how}\n${stdout}${stderr}`);
};
