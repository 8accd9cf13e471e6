/**
 * Plays the kernel towards a real server: carries out the commands of the virtual kernel on the server's channel, starts
 * the server and starts it again. What the server does, down to dying, is a value.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Slab } from '../base/slab.js';
import type { Cause, Command, Disconnected, KernelEvent } from '../kernel/conversation.js';
import { uniqueIn } from '../kernel/incoming.js';
import type { Strategy } from '../kernel/strategies/strategy.js';
import type { VirtualKernel } from '../kernel/virtual-kernel.js';
import { Connection, PATIENCE_MS } from '../transport/connection.js';
import type { LaunchEvents, Launcher } from '../transport/launch.js';
import type { RunningServer } from '../transport/running-server.js';
import type { ProcessExit } from '../transport/subreaper.js';
import { Asking, type AskOptions, isAside } from './asking.js';
import { Handshake } from './handshake.js';
import { Recovering } from './recovering.js';
import type { RequestSource } from './request-source.js';

/** How a drive ended. */
export type DriveEnd =
  | { readonly kind: 'done' }
  /** The server closed its channel or exited. */
  | { readonly kind: 'died' }
  /** For longer than the limit nothing new was sent and nothing that is under way was answered, whatever else came. */
  | { readonly kind: 'hang' }
  /** Nothing is under way and the source has nothing more to send although it is not done. */
  | { readonly kind: 'stuck' };

/** Who is told what crosses the channel of a driver, in order. */
export interface Tap {
  /** A server process began; what follows is said to it and by it. */
  onStart(server: RunningServer): void;
  /** A message, valid only during the call. */
  onFrame(direction: 'toServer' | 'toKernel', bytes: Uint8Array): void;
}

/** How a driver works. */
export interface DriverOptions {
  readonly tap?: Tap;
  /** Told what a server does besides, such as asking for its mount. */
  readonly events?: LaunchEvents;
  readonly launcher: Launcher;
  readonly kernel: VirtualKernel;
  /** Requests under way at once at most. */
  readonly depth: number;
  /** How long a reply may take before the server counts as hanging. */
  readonly replyTimeoutMs: number;
  /** How long a start up to the answer to INIT may take. */
  readonly startTimeoutMs: number;
  /** A debugger watches each incarnation from its answer to INIT on. */
  readonly backTrace?: boolean;
}

/** Time between two turns of the event loop, where the ends of processes are noticed. */
const SLICE_MS = 20;
/** Numbers of questions start anew beyond this: they have 32 bits. */
const MOST_ASIDES = 0xf000_0000;
/** What a server can have the kernel send for ever without answering anything: RETRIEVE, EAGAIN to INTERRUPT, RESEND. */
const onDemand: readonly Cause[] = ['notifyReply', 'interrupt', 'resend'];

/** A driver of one server command. */
export class Driver {
  readonly kernel: VirtualKernel;
  readonly #options: DriverOptions;
  readonly #exits: ProcessExit[] = [];
  readonly #stderr: string[][] = [];
  readonly #slab = new Slab();
  #server: RunningServer | undefined;
  #connection: Connection | undefined;
  #refusedInit: Disconnected | undefined;
  #isBlind = false;
  /** Messages that the channel had no room for yet. */
  #queue: Uint8Array[] = [];
  #asking: Asking | undefined;
  /** Number of the last question past the virtual kernel. */
  #asides = 0;
  /** Unique of a request whose reply is to be lost. */
  #losing: number | undefined;
  #messages = 0;
  /** Requests sent and answers taken; notifications and what the kernel refuses are none. */
  #progress = 0;
  #abandoned = 0;
  /** Of those, how many the strategy leaves without an answer for ever. */
  #hanging = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.kernel = options.kernel;
  }

  /** How each incarnation ended, first one first; the running one is not among them. */
  get exits(): readonly ProcessExit[] {
    return this.#exits;
  }

  /** Last lines of standard error of each ended incarnation. */
  get stderr(): readonly (readonly string[])[] {
    return this.#stderr;
  }

  /** The running server; `undefined` between incarnations. */
  get server(): RunningServer | undefined {
    return this.#server;
  }

  /** How the last start ended when the kernel could not take the server's answer to INIT. */
  get refusedInit(): Disconnected | undefined {
    return this.#refusedInit;
  }

  /** True when back traces were wanted and gdb could not watch some incarnation. */
  get isBlind(): boolean {
    return this.#isBlind;
  }

  /**
   * Requests that may be sent now. Those that a dead server took with it wait for ever and do not count; those that wait for
   * a name to be looked up do, or all that are left would be let in at once.
   */
  get room(): number {
    return this.#options.depth + this.#abandoned - this.kernel.underWay - this.kernel.waiting;
  }

  /** Messages that crossed the channel, both ways. */
  get messages(): number {
    return this.#messages;
  }

  /** Starts the server and settles INIT; with a strategy, as a restart that the strategy will recover from. */
  async start(strategy?: Strategy): Promise<DriveEnd> {
    const { launcher, startTimeoutMs, tap, events } = this.#options;
    const server = await launcher.launch(events);
    tap?.onStart(server);
    this.#server = server;
    this.#connection = new Connection(server.channel.ours, server.channel.maxMessage);
    const handshake = new Handshake();
    this.event(strategy === undefined ? { kind: 'mount' } : { kind: 'restarted', strategy }, handshake);
    const end = await this.#drive(handshake, startTimeoutMs, () => server.look() !== undefined);
    launcher.handedOver();
    this.#refusedInit = handshake.refused;
    if (this.#options.backTrace === true && end.kind === 'done') this.#isBlind ||= !(await server.watch());
    return handshake.refused === undefined ? end : { kind: 'died' };
  }

  /** Sends what the source has and takes what comes, until the source is done or the server fails. */
  drive(source: RequestSource): Promise<DriveEnd> {
    return this.#drive(source, this.#options.replyTimeoutMs);
  }

  /** Lets the strategy send what it has to after a restart; `listener` hears of it. */
  recover(listener: RequestSource['hear']): Promise<DriveEnd> {
    return this.drive(new Recovering(this, listener));
  }

  /** Gives the kernel an event and carries out what follows. */
  event(event: KernelEvent, source: Pick<RequestSource, 'hear'>): void {
    for (const command of this.kernel.handle(event)) {
      if (command.kind === 'send') {
        if (!onDemand.includes(command.cause)) this.#progress++;
        this.#send(command.bytes);
      } else if (command.kind === 'abandoned' && command.outcome === 'hang')
        this.#hanging = command.tags.length;
      else if (command.kind === 'recovered') this.#settle();
      source.hear(command);
    }
  }

  /**
   * Asks the server something past the virtual kernel, which learns nothing of it: how the state of a new incarnation is
   * prepared and examined. The reply, or what the server did instead. The unique is written into the request.
   */
  async ask(request: Uint8Array, timeoutMs?: number): Promise<Uint8Array | DriveEnd> {
    const [answer] = await this.askAll([request], timeoutMs === undefined ? {} : { timeoutMs });
    return answer ?? { kind: 'stuck' };
  }

  /**
   * As `ask`, with many questions in flight together; the answers come in the order of the questions. When the server dies or
   * falls silent, questions that it did not answer get that as their answer, also those that were not sent any more.
   */
  async askAll(
    requests: readonly Uint8Array[],
    { depth, timeoutMs = this.#options.replyTimeoutMs }: AskOptions = {},
  ): Promise<(Uint8Array | DriveEnd)[]> {
    if (requests.length === 0) return [];
    if (this.#asides > MOST_ASIDES) this.#asides = 0;
    const asking = new Asking(requests, this.#asides + 2, depth);
    this.#asides += 2 * requests.length;
    this.#asking = asking;
    this.#sendAsked();
    const end = await this.#drive({ ...silent, isDone: () => asking.isDone }, timeoutMs);
    this.#asking = undefined;
    return asking.answers(end);
  }

  /**
   * Sends a request of the kernel's and lets the server act on it, but loses its reply: the server dies after the deed and
   * before anybody hears of it. What has no reply, or none in `timeoutMs`, is only sent.
   */
  async lose(
    request: { readonly bytes: Uint8Array; readonly tag: number; readonly minted?: number | undefined },
    source: Pick<RequestSource, 'hear'>,
    timeoutMs: number,
  ): Promise<DriveEnd> {
    const hear = (command: Command): void => {
      if (command.kind === 'send' && command.tag === request.tag && command.awaits)
        this.#losing = command.unique;
      source.hear(command);
    };
    this.event({ kind: 'request', ...request }, { hear });
    const isDone = (): boolean => this.#losing === undefined && this.#queue.length === 0;
    const end = await this.#drive({ ...silent, hear, isDone }, timeoutMs);
    this.#losing = undefined;
    return end;
  }

  /** Ends the server by a signal, or finds out how it ended by itself. `undefined` when none is running. */
  async stop(signal: NodeJS.Signals = 'SIGKILL', graceMs = 2000): Promise<ProcessExit | undefined> {
    const server = this.#server;
    if (server === undefined) return undefined;
    if (server.look() === undefined) server.signal(signal);
    await server.waitForExit(graceMs);
    return this.#bury(server);
  }

  /** Closes our end while the server runs, as when its file system is unmounted. */
  hangUp(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** How a server ended that closed its channel; it is killed when it does not end soon. */
  async died(): Promise<ProcessExit | undefined> {
    const server = this.#server;
    if (server === undefined) return undefined;
    await server.waitForExit(2000);
    return this.#bury(server);
  }

  /** What was under way at the death was resent, was ended, or waits for ever; only the last stays abandoned. */
  #settle(): void {
    this.#abandoned = this.#hanging;
    this.#hanging = 0;
  }

  async #bury(server: RunningServer): Promise<ProcessExit> {
    const exit = await server.end({ graceMs: 0 });
    this.hangUp();
    this.#server = undefined;
    this.#queue = [];
    this.#exits.push(exit);
    this.#stderr.push(server.stderr.lines());
    this.kernel.handle({ kind: 'died' });
    this.#abandoned = this.kernel.underWay;
    return exit;
  }

  /** `isDead` tells of a death that the channel cannot show, as long as we have the server's end open ourselves. */
  async #drive(source: RequestSource, timeoutMs: number, isDead = () => false): Promise<DriveEnd> {
    // Answering many at once wakes a server that went to sleep once, not for each: at depth 64 half the cost of all sending.
    let wanted = 0;
    const take = (message: Uint8Array): boolean => {
      this.#take(message, source);
      wanted--;
      return wanted > 0 && !source.isDone();
    };
    let moved = performance.now();
    let turned = moved;
    for (;;) {
      const connection = this.#connection;
      if (connection === undefined) return { kind: 'died' };
      const before = this.#progress;
      this.#fill(source);
      if (source.isDone()) return { kind: 'done' };
      const due = this.room > 0 ? source.due?.() : undefined;
      if (!this.#isIdle() || due !== undefined) {
        const patience = due === undefined ? PATIENCE_MS : Math.min(PATIENCE_MS, due);
        wanted = this.#options.depth >> 1;
        const reception = connection.receive(take, patience, this.#queue.length > 0);
        if (source.isDone()) return { kind: 'done' };
        if (reception === 'closed') return { kind: 'died' };
      } else if (this.#progress === before) return { kind: 'stuck' };
      const now = performance.now();
      if (this.#progress !== before) moved = now;
      else if (due === undefined && now - moved > timeoutMs) return { kind: 'hang' };
      if (now - turned <= SLICE_MS) continue;
      await nextTurn();
      turned = performance.now();
      if (isDead()) return { kind: 'died' };
    }
  }

  #isIdle(): boolean {
    return this.kernel.underWay === this.#abandoned && this.#queue.length === 0 && this.#asking === undefined;
  }

  #fill(source: RequestSource): void {
    this.#flush();
    while (this.#queue.length === 0 && this.room > 0) {
      const request = source.next();
      if (request === undefined) return;
      const { bytes, tag, minted } = request;
      this.event({ kind: 'request', bytes, tag, minted }, source);
    }
  }

  #send(bytes: Uint8Array): void {
    this.#messages++;
    this.#options.tap?.onFrame('toServer', bytes);
    if (this.#queue.length > 0 || this.#connection?.send(bytes) === 'full') this.#queue.push(bytes);
  }

  #flush(): void {
    if (this.#queue.length === 0) return;
    let sent = 0;
    while (sent < this.#queue.length && this.#connection?.send(this.#queue[sent] ?? nothing) !== 'full')
      sent++;
    this.#queue = this.#queue.slice(sent);
  }

  #take(message: Uint8Array, source: RequestSource): void {
    this.#messages++;
    this.#options.tap?.onFrame('toKernel', message);
    if (this.#losing !== undefined && uniqueIn(message) === this.#losing) this.#losing = undefined;
    else if (!isAside(message)) this.#hear(message, source);
    else {
      if (this.#asking?.take(message) === true) this.#progress++;
      this.#sendAsked();
    }
  }

  #hear(message: Uint8Array, source: RequestSource): void {
    const underWay = this.kernel.underWay;
    this.event({ kind: 'message', bytes: this.#slab.copy(message) }, source);
    if (this.kernel.underWay < underWay) this.#progress++;
  }

  #sendAsked(): void {
    for (let next = this.#asking?.next(); next !== undefined; next = this.#asking?.next()) {
      this.#progress++;
      this.#send(next);
    }
  }
}

const nothing = new Uint8Array(0);
const silent: RequestSource = { next: () => undefined, isDone: () => false, hear: () => undefined };
