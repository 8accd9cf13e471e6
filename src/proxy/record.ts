/**
 * One recording from start to end: a server behind the proxy on a real mount, its traffic in a trace. What server and
 * mount did is in the result; exceptions are for what kept the recording from starting.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Cleanup } from '../base/cleanup.js';
import { nowNs } from '../base/clock.js';
import { deferred } from '../base/deferred.js';
import { errnoName } from '../base/errno.js';
import { RelightError } from '../base/error.js';
import { endFacts, mountFacts } from '../trace/facts.js';
import { traceContext } from '../trace/surroundings.js';
import type { WriterStatus } from '../trace/writer.js';
import { describeExit } from '../transport/exit-text.js';
import { guard } from '../transport/guardian.js';
import { Launcher, type LaunchOptions } from '../transport/launch.js';
import { affinity } from '../transport/libc.js';
import {
  type MountPoint,
  type MountRequest,
  mountAt,
  mountFuse,
  mountPoints,
  realTarget,
  unmountFuse,
} from '../transport/mount.js';
import { mapsOf } from '../transport/proc.js';
import { type Program, type ProgramExit, runShell } from '../transport/program.js';
import type { RunningServer } from '../transport/running-server.js';
import type { ProcessExit } from '../transport/subreaper.js';
import type { InitExchange } from './init-duties.js';
import type { RelayCounts } from './messages.js';
import type { RecordEvents, RecordOptions } from './record-options.js';
import { RelayHandle } from './relay-handle.js';
import { type RingMemory, ringMemory } from './ring.js';
import { TeeHandle } from './tee-handle.js';
import type { TeeOptions } from './tee-messages.js';

/** Bounds the memory of a recording; when it is full the relay waits (or drops). Room for 15 requests of 1 MiB. */
const RING_BYTES = 16 << 20;
/** How long a server may take to leave after SIGTERM, and again after its mount was taken away. */
const GRACE_MS = 5000;
/** How long a process takes to be gone after SIGKILL unless something keeps it in the kernel. */
const KILLED_MS = 500;
/** Ctrl-C on a terminal reaches the server as well; so long it may take to act on it before it is told again. */
const TERMINAL_GRACE_MS = 500;

/** How much later than a server's end the signal may be noticed that ended it. */
const NOTICED_MS = 100;

/** What ended a session. */
export type RecordEnding = 'unmounted' | 'serverExit' | 'workload' | 'interrupt';

/** What a recording was. */
export interface RecordResult {
  readonly status: WriterStatus;
  readonly counts: RelayCounts;
  readonly mount: MountRequest;
  readonly init: InitExchange;
  readonly exit: ProcessExit;
  /** How the workload ended; `undefined` when there was none. */
  readonly workload: ProgramExit | undefined;
  readonly ending: RecordEnding;
}

interface Parts {
  readonly launcher: Launcher;
  readonly server: RunningServer;
  readonly relay: RelayHandle;
  readonly tee: TeeHandle;
}

interface Mounted {
  readonly request: MountRequest;
  readonly device: number;
}

/** A recording: `run` it once, `interrupt` it when its user wants it to end. */
export class Recording {
  readonly #options: RecordOptions;
  readonly #events: RecordEvents;
  readonly #interrupted = deferred<NodeJS.Signals>();
  readonly #forced = deferred<void>();
  readonly #mounted = deferred<Mounted>();
  readonly #rootExit = deferred<void>();
  #mountError: string | undefined;
  #interruptions = 0;

  constructor(options: RecordOptions, events: RecordEvents = {}) {
    this.#options = options;
    this.#events = events;
  }

  /** Ends the session: the first time as the signal would have ended the server, the second time by force. */
  interrupt(signal: NodeJS.Signals): void {
    this.#interruptions++;
    this.#interrupted.resolve(signal);
    if (this.#interruptions > 1) this.#forced.resolve();
  }

  /** Records until the session ends. Throws a RelightError when there was nothing to record. */
  async run(): Promise<RecordResult> {
    const cleanup = new Cleanup();
    try {
      return await this.#record(cleanup, await this.#start(cleanup));
    } finally {
      await cleanup.run();
    }
  }

  async #start(cleanup: Cleanup): Promise<Parts> {
    const options = this.#options;
    const cpus = options.affinity === 'together' ? affinity(0).slice(-1) : undefined;
    const launcher = await Launcher.open({ ...launchOptions(options), ...(cpus && { cpus }) });
    cleanup.defer(() => launcher.close());
    const ring = ringMemory(RING_BYTES);
    const started: { server?: RunningServer } = {};
    const tee = await TeeHandle.open(teeOptions(options, ring), {
      onProgress: (status) => this.#events.onProgress?.(status),
      onFailed: (why) => this.#events.onTraceFailed?.(why),
      onWantMaps: () => started.server && sendMaps({ tee, server: started.server }),
    });
    cleanup.defer(() => tee.close());
    const relay = await RelayHandle.start({ ring, cpus, drop: options.drop });
    cleanup.defer(() => relay.stop());
    const server = await this.#launch(launcher);
    started.server = server;
    cleanup.defer(() => server.end({ graceMs: 0 }));
    tee.tell({
      kind: 'start',
      facts: { incarnation: 0, timeNs: nowNs(), pid: server.pid, aslr: options.aslr },
    });
    return { launcher, server, relay, tee };
  }

  async #launch(launcher: Launcher): Promise<RunningServer> {
    if (launcher.handsOver)
      this.#mounted.resolve(mountForHandOver(this.#options.mountAt ?? launcher.mountPoint ?? ''));
    return launcher.launch({
      onMounted: ({ request, error, device }) => {
        if (device === undefined) this.#mountError = `${request.target}: ${errnoName(error)}`;
        else this.#mounted.resolve({ request, device });
      },
      onStderr: (chunk) => this.#events.onStderr?.(chunk),
      onRootExit: () => this.#rootExit.resolve(),
    });
  }

  async #record(cleanup: Cleanup, parts: Parts): Promise<RecordResult> {
    const { launcher, server, relay, tee } = parts;
    const { request, device } = await this.#orFail(this.#mounted.promise, server, 'mount');
    const point = mountAt(request.target);
    cleanup.defer(() => unmountIfThere(point));
    if (point !== undefined) cleanup.defer(this.#guard(point, parts));
    relay.connect({ device, channel: server.channel.ours, maxMessage: server.channel.maxMessage });
    tee.tell({ kind: 'mount', facts: mountFacts(request) });
    const init = await this.#orFail(relay.init, server, 'answer INIT');
    launcher.handedOver();
    tee.tell({ kind: 'init', facts: { incarnation: 0, timeNs: nowNs(), ...init } });
    sendMaps(parts);
    this.#events.onMounted?.(request.target);
    const { ending, workload } = await this.#untilEnd(parts, request.target);
    // The last chance: what the server allocated since the watch last asked lies in no map known so far.
    sendMaps(parts);
    const exit = await this.#stopServer(parts, { ending, point });
    // Nobody answers any more: whatever still waits in the kernel, the relay's own notifications included, gets an error.
    unmountIfThere(point, { abort: true });
    const counts = await relay.stop();
    tee.tell({ kind: 'end', facts: endFacts(0, exit, server.stderr.lines()) });
    return { status: await tee.close(), counts, mount: request, init, exit, workload, ending };
  }

  #guard(point: MountPoint, { launcher, server }: Parts): () => Promise<void> {
    const { target, device } = point;
    return guard({ target, device, serverPid: server.servingPid, directory: launcher.mountPoint });
  }

  /** What was waited for, unless the server ends, takes too long, or the user gives up first. */
  async #orFail<T>(wanted: Promise<T>, server: RunningServer, what: string): Promise<T> {
    const waiting = new AbortController();
    const gone = this.#rootExit.promise.then(() => this.#serverLeft(server, waiting.signal));
    const late = sleep(this.#options.mountTimeoutMs, 'late' as const, { signal: waiting.signal });
    const first = await Promise.race([
      wanted.then((value) => ({ value })),
      gone,
      late,
      this.#interrupted.promise.then(() => 'interrupted' as const),
    ]).finally(() => waiting.abort());
    if (typeof first === 'object') return first.value;
    throw this.#failure(first, server, what);
  }

  /** Resolves when no process of the server is left that could still do what is waited for. */
  async #serverLeft(server: RunningServer, signal: AbortSignal): Promise<'gone'> {
    while (!signal.aborted && server.look() === undefined) await sleep(20);
    // A result that came in the same moment shall win.
    await sleep(50);
    return 'gone';
  }

  #failure(why: 'gone' | 'late' | 'interrupted', server: RunningServer, what: string): RelightError {
    const name = this.#options.command[0];
    const said = server.stderr.lines(3).map((line) => line.trim());
    const because = [
      ...(this.#mountError === undefined ? [] : [`mount of ${this.#mountError}`]),
      ...said,
    ].join('; ');
    const tail = because === '' ? '' : ` (${because})`;
    if (why === 'interrupted')
      return new RelightError('environment', `interrupted before ${name} could ${what}${tail}`);
    if (why === 'late')
      return new RelightError(
        'server',
        `${name} did not ${what} within ${this.#options.mountTimeoutMs / 1000} s${tail}`,
        {
          remedy: 'check the command, or allow more time with --mount-timeout',
        },
      );
    return new RelightError('server', `${name} ${describeExit(server.exit)} before it could ${what}${tail}`, {
      remedy: /EPERM|EACCES|ENODEV/.test(this.#mountError ?? '')
        ? 'relight doctor says what mounting needs here'
        : 'try the command without relight; it must stay mounted',
    });
  }

  async #untilEnd(
    { relay }: Parts,
    target: string,
  ): Promise<{ ending: RecordEnding; workload: ProgramExit | undefined }> {
    const program = this.#startWorkload(target);
    const first = await Promise.race([
      relay.ended.then((how) => (how === 'unmounted' ? ('unmounted' as const) : ('serverExit' as const))),
      this.#interrupted.promise.then(() => 'interrupt' as const),
      ...(program === undefined ? [] : [program.exit.then(() => 'workload' as const)]),
    ]);
    const ending = await this.#causeOf(first);
    return { ending, workload: program && (await this.#endWorkload(program, { ending, relay, target })) };
  }

  /** On a terminal Ctrl-C reaches the server as well, whose end may be noticed before the signal is. */
  async #causeOf(first: RecordEnding): Promise<RecordEnding> {
    if (first !== 'serverExit') return first;
    const other = sleep(NOTICED_MS, first, { ref: false });
    return Promise.race([this.#interrupted.promise.then(() => 'interrupt' as const), other]);
  }

  #startWorkload(target: string): Program | undefined {
    const { workload, workloadOutput } = this.#options;
    return workload === undefined
      ? undefined
      : runShell(workload, { stdout: workloadOutput, env: { RELIGHT_MOUNT: target } });
  }

  /** A workload whose file system went away gets errors and ends by itself; an interrupted one is told to. */
  async #endWorkload(
    program: Program,
    { ending, relay, target }: { ending: RecordEnding; relay: RelayHandle; target: string },
  ): Promise<ProgramExit> {
    void this.#interrupted.promise.then((signal) => program.signal(signal));
    const late = sleep(GRACE_MS, undefined, { ref: false }).then(() => program.signal('SIGKILL'));
    const forced = this.#forced.promise.then(() => program.signal('SIGKILL'));
    if (ending !== 'workload') await Promise.race([program.exit, late, forced]);
    if (await outlasts(program, KILLED_MS)) {
      // Killed, it waits in the kernel for a reply that does not come, until its connection ends.
      unmountFuse(target, { lazy: true, abort: true });
      await relay.stop();
    }
    return program.exit;
  }

  async #stopServer(
    { launcher, server }: Parts,
    { ending, point }: { ending: RecordEnding; point: MountPoint | undefined },
  ): Promise<ProcessExit> {
    const forced = this.#forced.promise.then(() => server.end({ graceMs: 0 }));
    return Promise.race([forced, this.#stopInOrder({ launcher, server }, { ending, point })]);
  }

  async #stopInOrder(
    { launcher, server }: Pick<Parts, 'launcher' | 'server'>,
    { ending, point }: { ending: RecordEnding; point: MountPoint | undefined },
  ): Promise<ProcessExit> {
    if (ending === 'unmounted') launcher.mountGone();
    else if (ending === 'interrupt') await this.#passOn(server);
    else if (ending === 'workload') server.signal('SIGTERM');
    const exit = await server.waitForExit(GRACE_MS);
    if (exit !== undefined) return server.end({ graceMs: 0 });
    // It ignores the signal: a server whose file system is gone has nothing left to do.
    unmountIfThere(point);
    return server.end({ graceMs: GRACE_MS });
  }

  async #passOn(server: RunningServer): Promise<void> {
    const signal = await this.#interrupted.promise;
    const heardItself = signal === 'SIGINT' && process.stdin.isTTY === true;
    if (heardItself && (await server.waitForExit(TERMINAL_GRACE_MS)) !== undefined) return;
    server.signal(signal);
  }
}

const launchOptions = (options: RecordOptions): LaunchOptions => ({
  command: options.command,
  mode: 'real',
  aslr: options.aslr,
  stdin: 'inherit',
  stdout: options.serverOutput,
  detached: false,
});

const teeOptions = (options: RecordOptions, ring: RingMemory): TeeOptions => ({
  path: options.trace,
  context: traceContext({ argv: options.command, payload: options.payload, filter: options.filter }),
  ring,
  rotateBytes: options.rotateBytes,
  codec: options.codec,
});

const sendMaps = ({ tee, server }: Pick<Parts, 'tee' | 'server'>): void => {
  const ranges = mapsOf(server.servingPid);
  // A server that has just ended has no memory; what is known of it stands.
  if (ranges.length > 0) tee.tell({ kind: 'maps', facts: { incarnation: 0, timeNs: nowNs(), ranges } });
};

const outlasts = (program: Program, limitMs: number): Promise<boolean> =>
  Promise.race([program.exit.then(() => false), sleep(limitMs, true, { ref: false })]);

const unmountIfThere = (point: MountPoint | undefined, { abort = false } = {}): void => {
  if (point === undefined) return;
  const isThere = mountPoints().some(
    ({ device, target }) => device === point.device && target === point.target,
  );
  if (isThere) unmountFuse(point.target, { lazy: true, abort });
};

const MS_NOSUID_NODEV = 6;

/** A server that is handed an open channel mounts nothing: its mount is ours, with options as libfuse would give. */
const mountForHandOver = (path: string): Mounted => {
  const target = realTarget(path);
  const ids = `rootmode=40000,user_id=${process.getuid?.() ?? 0},group_id=${process.getgid?.() ?? 0}`;
  const request = { source: 'relight', target, type: 'fuse.relight', flags: MS_NOSUID_NODEV, data: ids };
  const made = mountFuse(request);
  if (typeof made === 'object') return { request, device: made.device };
  throw new RelightError('environment', `cannot mount on ${target}: ${errnoName(made)}`, {
    remedy: 'name an empty directory of yours with --mount-at, and see relight doctor',
  });
};
