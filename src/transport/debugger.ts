/** gdb beside a running server: nothing but a witness of the signal that ends it. Knows nothing of FUSE. */

import { spawn } from 'node:child_process';
import { deferred } from '../base/deferred.js';
import { disownChild, ownChild } from './subreaper.js';

/** How long gdb may take to read the server's symbols. */
const ATTACH_MS = 20_000;
/** How long it may take to leave when the server is gone. */
const LEAVE_MS = 3000;
/** Frames that are kept. */
const FRAMES = 16;

const ATTACHED = 'relight: attached';
const FATAL = 'SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT';

/** What is typed: it waits for a fatal signal, says where, and by leaving lets the server die of it as it would have. */
const commands = [
  'handle all nostop noprint pass',
  `handle ${FATAL} stop print pass`,
  `echo ${ATTACHED}\\n`,
  'continue',
  `backtrace ${FRAMES}`,
];

/** Before the symbols are read: no scripts, no downloads, no looking at libraries through the process. */
const settings = ['set auto-load no', 'set debuginfod enabled off', 'set sysroot /'];

/** A gdb that is attached to a process. */
export class Debugger {
  readonly #frames: Promise<readonly string[]>;
  readonly #kill: () => void;

  private constructor(frames: Promise<readonly string[]>, kill: () => void) {
    this.#frames = frames;
    this.#kill = kill;
  }

  /** Attaches to a process and waits until it runs again; `undefined` when there is no gdb, or it may not. */
  static async attach(pid: number): Promise<Debugger | undefined> {
    const first = settings.flatMap((setting) => ['-iex', setting]);
    const then = commands.flatMap((command) => ['-ex', command]);
    const child = spawn('gdb', ['-nx', '-q', '-batch', ...first, '-p', String(pid), ...then], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const isAttached = deferred<boolean>();
    const frames = deferred<readonly string[]>();
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(ATTACHED)) isAttached.resolve(true);
    });
    const over = (): void => {
      isAttached.resolve(false);
      frames.resolve(framesIn(said));
    };
    child.once('error', over);
    child.once('close', over);
    if (child.pid !== undefined) ownChild(child.pid);
    child.once('exit', () => child.pid !== undefined && disownChild(child.pid));
    const kill = (): boolean => child.kill('SIGKILL');
    const late = setTimeout(kill, ATTACH_MS);
    const attached = await isAttached.promise;
    clearTimeout(late);
    return attached ? new Debugger(frames.promise, kill) : undefined;
  }

  /** Frames at the fatal signal, innermost first; none when there was no such signal. Call when the process is gone. */
  async frames(): Promise<readonly string[]> {
    const late = setTimeout(this.#kill, LEAVE_MS);
    const frames = await this.#frames;
    clearTimeout(late);
    return frames;
  }
}

/** Frames of the C library on its way from a failed check to the signal. */
const giveUp = / in (?:(?:__GI_)?abort|(?:__GI_)?__assert_fail|__fortify_fail|__stack_chk_fail) \(/;

const framesIn = (said: string): string[] => {
  const frames = said
    .slice(said.indexOf(ATTACHED))
    .split('\n')
    .filter((line) => /^#\d+ /.test(line));
  return frames.slice(frames.findLastIndex((frame) => giveUp.test(frame)) + 1);
};
