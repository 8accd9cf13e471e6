/** A server that was started: its processes, its end, and what it last said. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelPair } from './channel.js';
import { Debugger } from './debugger.js';
import { isRunning, treeOf } from './proc.js';
import { adopted, holdersOf, type ProcessExit, reap } from './subreaper.js';
import { Tail } from './tail.js';

/** Waits between two looks at the processes: short at first, since most servers end at once. */
const FIRST_POLL_MS = 1;
const POLL_MS = 20;
/** How long a daemon's first process may take to leave. */
const FORKING_MS = 200;

/** Waits longer each time. */
class Patience {
  #ms = FIRST_POLL_MS;

  async wait(): Promise<void> {
    await sleep(this.#ms);
    this.#ms = Math.min(POLL_MS, this.#ms * 2);
  }
}

/** What it takes to end a server. */
export interface EndOptions {
  /** How long it may take after SIGTERM before it is killed; 0 kills at once. */
  readonly graceMs: number;
}

/** All processes of one start of a server: the command's own, daemons it forked, helpers. */
export class RunningServer {
  readonly pid: number;
  readonly channel: ChannelPair;
  readonly stderr = new Tail();
  readonly #strangers: ReadonlySet<number>;
  #rootExit: ProcessExit | undefined;
  #daemon: number | undefined;
  #exit: ProcessExit | undefined;
  #debugger: Debugger | undefined;

  constructor(pid: number, channel: ChannelPair, strangers: ReadonlySet<number>) {
    this.pid = pid;
    this.channel = channel;
    this.#strangers = strangers;
  }

  /** The command's own process ended (a daemonising server goes on in another). */
  rootExited(exit: ProcessExit): void {
    this.#rootExit = exit;
    this.look();
  }

  /** How the serving process ended; `undefined` while one serves. Cheap enough to be asked often. */
  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  /** The process that serves: the command's own, or the daemon that it left behind. */
  get servingPid(): number {
    return this.#daemon ?? this.pid;
  }

  /** Looks at the processes again. */
  look(): ProcessExit | undefined {
    if (this.#exit !== undefined || this.#rootExit === undefined) return this.#exit;
    if (this.#daemon !== undefined) {
      const ended = reap(this.#daemon);
      if (ended === undefined && isRunning(this.#daemon)) return undefined;
      const [next] = this.holders();
      if (next === undefined) this.#exit = ended ?? { pid: this.#daemon, code: undefined, signal: undefined };
      this.#daemon = next ?? this.#daemon;
      return this.#exit;
    }
    this.#daemon = this.holders()[0];
    if (this.#daemon === undefined) this.#exit = this.#rootExit;
    return this.#exit;
  }

  /** Processes that have the server's end of the channel open. */
  holders(): number[] {
    return holdersOf(this.pid, this.channel.theirInode).filter((pid) => !this.#strangers.has(pid));
  }

  /** Waits until the server has ended; `undefined` after the time-out. */
  async waitForExit(timeoutMs: number): Promise<ProcessExit | undefined> {
    const deadline = performance.now() + timeoutMs;
    const patience = new Patience();
    while (this.look() === undefined && performance.now() < deadline) await patience.wait();
    return this.#exit;
  }

  /** Lets gdb watch the serving process, so that its exit tells where a fatal signal came; false when that cannot be. */
  async watch(): Promise<boolean> {
    // The first process of a daemon has its end still open when the second one serves already.
    for (let ms = 0; ms < FORKING_MS && this.holders().length > 1; ms += POLL_MS) await sleep(POLL_MS);
    const [holder = this.servingPid] = this.holders();
    this.#debugger = await Debugger.attach(holder);
    return this.#debugger !== undefined;
  }

  /** Sends a signal to the serving process. */
  signal(signal: NodeJS.Signals): void {
    signalTo(this.servingPid, signal);
  }

  /** Ends the server and all its processes: SIGTERM, the grace, then SIGKILL until none is left. */
  async end({ graceMs }: EndOptions): Promise<ProcessExit> {
    if (graceMs > 0 && this.look() === undefined) {
      for (const pid of new Set([...this.holders(), this.servingPid])) signalTo(pid, 'SIGTERM');
      await this.waitForExit(graceMs);
    }
    const patience = new Patience();
    for (;;) {
      const left = this.#processes();
      if (left.length === 0 && this.look() !== undefined) break;
      for (const pid of left) signalTo(pid, 'SIGKILL');
      await patience.wait();
      for (const pid of left) if (pid !== this.#daemon) reap(pid);
    }
    const exit = this.#exit ?? { pid: this.pid, code: undefined, signal: undefined };
    const backTrace = (await this.#debugger?.frames()) ?? [];
    return backTrace.length === 0 ? exit : { ...exit, backTrace };
  }

  /** Everything of this server that still runs; orphans that ended are reaped on the way. */
  #processes(): number[] {
    const ours = adopted().filter((pid) => !this.#strangers.has(pid));
    for (const pid of ours) if (pid !== this.#daemon && !isRunning(pid)) reap(pid);
    return [...new Set([...treeOf(this.pid), ...ours.flatMap(treeOf)])].filter(isRunning);
  }
}

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
};
