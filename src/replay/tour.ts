/**
 * The tour: plays the kernel to a server without any mount, walks, reads and (if wanted) changes its file system, and
 * writes all that crosses the channel to a trace like any other. At the end files and directories are open and nothing was
 * forgotten, so that a restart makes many ids stale. A server that dies or hangs on the way is a result.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Cleanup } from '../base/cleanup.js';
import { RelightError } from '../base/error.js';
import { defaultOffer } from '../kernel/negotiation.js';
import { VirtualKernel } from '../kernel/virtual-kernel.js';
import type { OperationName } from '../protocol/operations.js';
import { traceContext } from '../trace/surroundings.js';
import { createTrace } from '../trace/writer.js';
import { Launcher } from '../transport/launch.js';
import type { MountRequest } from '../transport/mount.js';
import type { ProcessExit } from '../transport/subreaper.js';
import { type DriveEnd, Driver } from './driver.js';
import { startFailure } from './start-failure.js';
import { CallSource } from './tour/call-source.js';
import type { TourEnding, TourOptions, TourResult } from './tour/options.js';
import { Route } from './tour/route.js';
import { defaultLimits, TourState } from './tour/state.js';
import { TourTrace } from './tour/tour-trace.js';

/** Servers that leave at SIGTERM do so soon; go-fuse waits for the end of its connection. */
const LEAVING_MS = 1000;
/** Before it is killed, a server may have to write things out. */
const GRACE_MS = 5000;
const REPLY_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 30_000;

/** Makes one tour. Throws a RelightError when there was nothing to see: the server did not start, the trace cannot be made. */
export const tour = async (options: TourOptions): Promise<TourResult> => {
  const cleanup = new Cleanup();
  try {
    return await new Tour(options).run(cleanup);
  } finally {
    await cleanup.run();
  }
};

/** Who takes part. */
interface Parts {
  readonly kernel: VirtualKernel;
  readonly driver: Driver;
  readonly trace: TourTrace;
}

class Tour {
  readonly #options: TourOptions;
  readonly #seed: number;
  #mount: MountRequest | undefined;

  constructor(options: TourOptions) {
    this.#options = options;
    this.#seed = options.seed ?? 1;
  }

  async run(cleanup: Cleanup): Promise<TourResult> {
    const parts = await this.#prepare(cleanup);
    await this.#start(parts);
    const { limits } = this.#options;
    const { kernel } = parts;
    const view = {
      maxRead: maxReadOf(this.#mount),
      get negotiated() {
        return kernel.negotiated;
      },
      sends: (name: OperationName) => kernel.sends(name),
    };
    const state = new TourState(view, this.#seed, { ...defaultLimits, ...limits });
    const route = new Route(state, this.#options.writing ?? 'none', this.#seed);
    const source = new CallSource(route.calls(), () => this.#isStopped);
    const startedMs = performance.now();
    const end = await parts.driver.drive(source);
    const elapsedMs = performance.now() - startedMs;
    const ending = this.#endingOf(end);
    const { exit, stderr } = await finish(parts, ending);
    return {
      ...{ ending, seed: this.#seed, elapsedMs, exit, stderr, mount: this.#mount },
      ...{ negotiated: parts.kernel.negotiated, nodes: parts.kernel.cache.nodes.size },
      ...{ counts: state.counts, cut: [...state.cut], held: route.held, written: route.written },
      ...{ errors: source.errors, refused: source.refused, underWay: source.underWay?.name },
      ...{ traffic: parts.trace.traffic, status: parts.trace.close() },
    };
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  async #prepare(cleanup: Cleanup): Promise<Parts> {
    const { command, cwd, aslr = 'on', onProgress, onStderr } = this.#options;
    const launcher = await Launcher.open({
      command,
      mode: 'pretend',
      aslr,
      ...(cwd !== undefined && { cwd }),
    });
    cleanup.defer(() => launcher.close());
    const context = traceContext({ argv: command, payload: { kind: 'full' }, filter: '' });
    const writer = createTrace(this.#options.trace, { context });
    const trace = new TourTrace(writer, { aslr, ...(onProgress && { onProgress }) });
    cleanup.defer(() => trace.close());
    // No mount of ours maps ids, so nobody needs to fear a server that asks to have them mapped.
    const offer = { ...defaultOffer(), defaultPermissions: true };
    const kernel = new VirtualKernel({ letGo: 'automatic', offer });
    const driver = new Driver({
      ...{ launcher, kernel, tap: trace, depth: 1 },
      replyTimeoutMs: this.#options.replyTimeoutMs ?? REPLY_TIMEOUT_MS,
      startTimeoutMs: this.#options.startTimeoutMs ?? START_TIMEOUT_MS,
      events: {
        onMounted: ({ request }) => {
          this.#mount = request;
          trace.onMounted(request);
        },
        ...(onStderr && { onStderr }),
      },
    });
    cleanup.defer(() => driver.stop('SIGKILL', 0));
    return { kernel, driver, trace };
  }

  async #start({ driver, trace }: Parts): Promise<void> {
    // Before INIT there is nothing yet that a server could lose.
    const giveUp = () => trace.isConnected || driver.server?.signal('SIGKILL');
    this.#options.signal?.addEventListener('abort', giveUp);
    const end = await driver.start();
    this.#options.signal?.removeEventListener('abort', giveUp);
    // The mount was answered on another thread; what that thread told arrives when this one has a turn.
    await nextTurn();
    if (end.kind === 'done') return;
    const { why, said } = await startFailure(driver, end);
    const tail = said.length === 0 ? '' : ` (${said.join('; ')})`;
    const name = this.#options.command[0];
    throw new RelightError('server', `${name} ${why}${tail}`, {
      remedy: 'try the command without relight; it must stay mounted',
    });
  }

  #endingOf({ kind }: DriveEnd): TourEnding {
    if (kind === 'died') return 'died';
    if (kind === 'done') return this.#isStopped ? 'interrupted' : 'done';
    // Nothing under way and nothing to do: a generator that yields is always waited for.
    if (kind === 'stuck') throw new Error('the tour waits for nothing');
    return 'hang';
  }
}

/** The largest READ that the mount allows; no kernel goes below a page (`fuse_fill_super_common`). */
const maxReadOf = (mount: MountRequest | undefined): number | undefined => {
  const bytes = /(?:^|,)max_read=(\d+)/.exec(mount?.data ?? '')?.[1];
  return bytes === undefined ? undefined : Math.max(4096, Number(bytes));
};

/** Ends the server, unless it ended itself, and completes what the trace says of it. */
const finish = async (
  { driver, trace }: Parts,
  ending: TourEnding,
): Promise<Pick<TourResult, 'exit' | 'stderr'>> => {
  if (ending !== 'died') trace.lookAtMemory();
  const exit =
    ending === 'died' ? await driver.died() : await dismiss(driver, ending === 'hang' ? 0 : GRACE_MS);
  const stderr = driver.stderr.at(-1) ?? [];
  if (exit !== undefined) trace.end(exit, stderr);
  return { exit, stderr };
};

/** Ends a server as its user would, with SIGTERM and then the end of its mount; by force when it stays. */
const dismiss = async (driver: Driver, graceMs: number): Promise<ProcessExit | undefined> => {
  driver.server?.signal('SIGTERM');
  if ((await driver.server?.waitForExit(LEAVING_MS)) === undefined) {
    driver.hangUp();
    await driver.server?.waitForExit(graceMs);
  }
  return driver.stop('SIGKILL', graceMs);
};
