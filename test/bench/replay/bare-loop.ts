/** What replay is measured against: a loop that writes prepared requests and reads replies, and does nothing else. */

import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { Bindings } from '#relight/plan/bindings.js';
import type { Plan } from '#relight/plan/plan.js';
import { opcodeOf } from '#relight/protocol/header.js';
import { Driver } from '#relight/replay/driver.js';
import { offerOf } from '#relight/replay/offer.js';
import { Pace } from '#relight/replay/pace.js';
import { PlanSource, planState, type StepListener } from '#relight/replay/plan-source.js';
import { Launcher } from '#relight/transport/launch.js';
import { read, write } from '#relight/transport/libc.js';
import type { MeasuredServer } from './servers.js';

/** Requests as a server got them, INIT first. */
export interface Prepared {
  readonly requests: readonly Uint8Array[];
  /** Errors among the replies, by which it shows that the bare loop asked sensible things; absent when they may differ. */
  readonly errors: number | undefined;
}

const INIT = 26;
/** FORGET, INTERRUPT, NOTIFY_REPLY, BATCH_FORGET. */
const unanswered: ReadonlySet<number> = new Set([2, 36, 41, 42]);

const isError = (reply: Uint8Array): boolean => reply[4] !== 0;

const withLauncher = async <T>(
  server: MeasuredServer,
  work: (launcher: Launcher) => Promise<T>,
): Promise<T> => {
  const launcher = await Launcher.open({ command: server.command, mode: 'pretend', aslr: 'off' });
  try {
    return await work(launcher);
  } finally {
    await launcher.close();
  }
};

const nobody: StepListener = {
  onCompared: () => undefined,
  onStale: () => undefined,
  onSwallowed: () => undefined,
  onWithheld: () => undefined,
  onRejected: () => undefined,
};

/** The requests of a replay of the plan at that depth, with the ids that the server gives without address randomisation. */
export const prepare = (server: MeasuredServer, plan: Plan, depth: number): Promise<Prepared> =>
  withLauncher(server, async (launcher) => {
    const requests: Uint8Array[] = [];
    let errors = 0;
    const tap = {
      onStart: () => undefined,
      onFrame: (direction: 'toServer' | 'toKernel', bytes: Uint8Array) => {
        if (direction === 'toServer') requests.push(bytes.slice());
        else if (isError(bytes)) errors++;
      },
    };
    const kernel = new VirtualKernel({ letGo: 'given', offer: offerOf(plan) });
    const driver = new Driver({ launcher, kernel, depth, tap, replyTimeoutMs: 5000, startTimeoutMs: 5000 });
    await driver.start();
    const parts = { state: planState(plan, Bindings.of(plan)), driver, listener: nobody };
    const stretch = { from: 0, to: plan.steps.length, pace: new Pace('max'), strict: false };
    const end = await driver.drive(new PlanSource(parts, stretch));
    await driver.stop();
    if (end.kind !== 'done')
      throw new Error(`${server.name}: the requests could not be prepared: ${end.kind}`);
    return { requests, errors };
  });

/** Milliseconds that the bare loop takes with `depth` requests under way. */
export const bareLoop = (
  server: MeasuredServer,
  { requests, errors }: Prepared,
  depth: number,
): Promise<number> =>
  withLauncher(server, async (launcher) => {
    const running = await launcher.launch();
    const { ours, maxMessage } = running.channel;
    const socket = new Socket(ours, new Uint8Array(maxMessage));
    const [init, ...rest] = requests;
    if (init === undefined || opcodeOf(init) !== INIT) throw new Error('INIT does not come first');
    socket.send(init);
    socket.receive();
    const started = performance.now();
    let underWay = 0;
    for (const request of rest) {
      while (underWay >= depth) {
        socket.receive();
        underWay--;
      }
      socket.send(request);
      if (!unanswered.has(opcodeOf(request))) underWay++;
    }
    for (; underWay > 0; underWay--) socket.receive();
    const elapsed = performance.now() - started;
    launcher.handedOver();
    await running.end({ graceMs: 0 });
    if (errors !== undefined && socket.errors !== errors)
      throw new Error(`${server.name}: ${socket.errors} errors in the bare loop, ${errors} when prepared`);
    return elapsed;
  });

/** A blocking socket: one system call for each message. */
class Socket {
  errors = 0;
  readonly #fd: number;
  readonly #buffer: Uint8Array;

  constructor(fd: number, buffer: Uint8Array) {
    this.#fd = fd;
    this.#buffer = buffer;
  }

  send(bytes: Uint8Array): void {
    const result = write(this.#fd, bytes, bytes.length);
    if (result !== bytes.length) throw new Error(`write gave ${result}`);
  }

  receive(): void {
    const length = read(this.#fd, this.#buffer, this.#buffer.length);
    if (length <= 0) throw new Error(`read gave ${length}`);
    if (isError(this.#buffer)) this.errors++;
  }
}
