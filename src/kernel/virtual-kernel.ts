/**
 * The kernel's half of the FUSE protocol as a state machine: events in, commands out, no IO, no clock, no randomness.
 *
 *     const kernel = new VirtualKernel({ letGo: 'given' });
 *     for (const command of kernel.handle({ kind: 'mount' })) …            // send INIT
 *     kernel.handle({ kind: 'message', bytes })                            // connected; later: replied, rejected, notified
 *     kernel.handle({ kind: 'request', bytes, tag: 7 })                    // send, or withheld, or nothing yet (it waits)
 *     kernel.handle({ kind: 'died' })
 *     kernel.handle({ kind: 'restarted', strategy })                       // send INIT to the new server; then connected
 *     kernel.handle({ kind: 'pull', room: 64 })                            // messages of the recovery, then `recovered`
 *
 * Three drivers use it. Replay sends the requests of a plan (`request`, letGo `given`), the tour walks by itself and lets
 * the kernel forget (`request`, `shrink`, letGo `automatic`), the recorder and the lift follow a real kernel (`seen`,
 * `message`, letGo `given`). `kernel.cache` answers questions: nodes, names, paths, open files.
 */

import { Errno } from '../base/errno.js';
import type { NodeId } from '../base/ids.js';
import { InitFlag } from '../protocol/flags.js';
import { IN_HEADER_SIZE, opcodeOf, UNIQUE_AT } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type OperationName, operationNamed } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import { Cache, type LetGo } from './cache.js';
import type { Command, KernelEvent, Withheld } from './conversation.js';
import { applyRequest, nodeAt } from './effects.js';
import { plainUnique } from './in-flight.js';
import { INIT, Incoming, uniqueIn } from './incoming.js';
import { defaultOffer, type InitOffer, initMessage } from './negotiation.js';
import { Outbox } from './outbox.js';
import { type Judge, Recovery } from './recovery.js';
import { Session } from './session.js';
import type { Shape } from './shape.js';
import type { Strategy } from './strategies/strategy.js';
import { trust } from './strategies/trust.js';
import type { Tally } from './tally.js';
import { Unsupported } from './unsupported.js';

/** How to set a kernel up. */
export interface VirtualKernelOptions {
  readonly letGo: LetGo;
  /** What INIT offers; by default what a kernel of the newest minor offers behind a socket. */
  readonly offer?: InitOffer;
  /** The session, where INIT went by before the kernel began to listen. */
  readonly negotiated?: Negotiated;
  /** Tells survivors of a recovery that are other objects in truth. */
  readonly judge?: Judge;
}

const BODY_AT = IN_HEADER_SIZE;
const RESENT = 0x8000_0000;

/** The machine. State is inside; `handle` is the only way in. */
export class VirtualKernel {
  readonly cache: Cache;
  readonly offer: InitOffer;
  readonly #outbox: Outbox;
  readonly #judge: Judge | undefined;
  readonly #session: Session;
  readonly #unsupported: Unsupported;
  readonly #incoming: Incoming;
  /** Nodes that took the place of others on their paths, over all restarts. */
  readonly #successors = new Map<number, number>();
  #recovery: Recovery | undefined;
  #follows = false;
  #waiting = 0;

  constructor(options: VirtualKernelOptions) {
    this.cache = new Cache(options.letGo);
    this.#session = new Session(options.negotiated);
    this.#unsupported = new Unsupported(this.cache);
    this.#outbox = new Outbox(this.cache.forgets, () => this.#session.negotiated);
    this.offer = options.offer ?? defaultOffer();
    this.#judge = options.judge;
    this.#incoming = new Incoming({
      cache: this.cache,
      outbox: this.#outbox,
      session: this.#session,
      unsupported: this.#unsupported,
      // The real kernel, which knew its mount options, has judged what is only followed.
      offer: () => (this.#follows ? { ...this.offer, defaultPermissions: true } : this.offer),
      wentBad: () => {
        this.#recovery ??= this.#recover(trust);
      },
      resend: () => this.#resend(),
      follows: () => this.#follows,
    });
  }

  /** The session that INIT settled; the newest one without features before that. */
  get negotiated(): Negotiated {
    return this.#session.negotiated;
  }

  /** Requests that await a reply. */
  get underWay(): number {
    return this.#outbox.inFlight.size;
  }

  /** Requests that wait until the names on their path were looked up; they may be sent then. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What the last restart came to until now; `undefined` before the first. */
  get tally(): Tally | undefined {
    return this.#recovery?.tally;
  }

  /**
   * Whether the kernel would send an operation now: its own minor has it, the server has not answered ENOSYS to it, and
   * what it hangs on was settled.
   */
  sends(name: OperationName): boolean {
    const { opcode, sinceMinor: since } = operationNamed(name);
    const shape = this.#session.shape(opcode);
    if (since > this.offer.minor || shape === undefined || this.#unsupported.has(shape)) return false;
    const { needs, sinceMinor } = shape.rule;
    const { minor, flags } = this.negotiated;
    return (needs === undefined || (flags & InitFlag[needs]) !== 0n) && minor >= (sinceMinor ?? 0);
  }

  /** See `Gate.isFoundAnew`; never before a restart. */
  isFoundAnew(id: NodeId, minted: number, byPath: boolean): boolean {
    const [low, high] = [Number(BigInt.asUintN(32, id)), Number(id >> 32n)];
    return this.#recovery?.gate.isFoundAnew({ low, high, minted }, byPath) === true;
  }

  /** Takes an event in; gives what is to be done about it, in order. */
  handle(event: KernelEvent): readonly Command[] {
    this.#dispatch(event);
    this.#outbox.flush();
    return this.#outbox.take();
  }

  #dispatch(event: KernelEvent) {
    switch (event.kind) {
      case 'request':
        return this.#request(event);
      case 'message':
        return this.#incoming.take(event.bytes);
      case 'seen':
        return this.#seen(event.bytes, event.tag);
      case 'mount':
        return this.#sendInit();
      case 'interrupt':
        return this.#interrupt(event.unique);
      case 'died':
        return this.#died();
      case 'restarted':
        return this.#restarted(event.strategy);
      case 'pull':
        return this.#pull(event.room);
      case 'shrink':
        return this.#shrink(event.nodes);
      default:
        return unreachable(event);
    }
  }

  #request(event: Extract<KernelEvent, { kind: 'request' }>) {
    const { bytes, tag, minted } = event;
    const shape = this.#session.shape(opcodeOf(bytes));
    if (shape === undefined || event.force === true) return this.#send(bytes, tag, shape);
    const spared = this.#unsupported.check(shape, bytes);
    if (spared !== undefined) return this.#withhold(event, { ...spared, by: shape.rule.by });
    if (this.#recovery === undefined) return this.#send(bytes, tag, shape);
    this.#waiting++;
    return this.#recovery.gate.admit({ shape, bytes, minted }, (admission) => {
      this.#waiting--;
      if (admission.kind === 'pass') this.#send(admission.bytes, tag, shape);
      else this.#withhold(event, { errno: admission.errno, by: admission.by, file: undefined });
    });
  }

  #withhold(
    { tag, bytes }: { readonly tag: number; readonly bytes: Uint8Array },
    why: Pick<Withheld, 'errno' | 'by' | 'file'>,
  ): void {
    this.#outbox.put({ kind: 'withheld', tag, request: bytes, ...why });
  }

  #send(bytes: Uint8Array, tag: number, shape: Shape | undefined) {
    if (shape?.ownUnique === true) return this.#outbox.sendOwn(bytes, 'request', tag);
    if (shape?.answered === 'optional') return this.#interrupt(plainUnique(u32At(bytes, BODY_AT), 0));
    const holds = this.cache.letGo === 'automatic' && shape?.answered === 'always';
    const node = holds ? nodeAt(this.cache, bytes) : undefined;
    if (node !== undefined) this.cache.nodes.pin(node);
    if (shape !== undefined) applyRequest(this.cache, shape, bytes);
    return this.#outbox.send(bytes, { shape, cause: 'request', tag, node });
  }

  #seen(bytes: Uint8Array, tag: number): void {
    this.#follows = true;
    const shape = this.#session.shape(opcodeOf(bytes));
    const resent = u32At(bytes, UNIQUE_AT + 4) >= RESENT;
    const unique = uniqueIn(bytes);
    if (shape?.ownUnique === true) return;
    if (shape !== undefined && !resent) applyRequest(this.cache, shape, bytes);
    const known = this.#outbox.inFlight.get(unique);
    if (known === undefined) {
      const awaits = shape === undefined || shape.answered === 'always';
      const request = { unique, shape, bytes, tag, node: undefined, answered: undefined, interrupted: false };
      this.#outbox.follow({ ...request, resent }, awaits);
    } else if (shape?.answered === 'optional') {
      known.interrupted = true;
    } else {
      known.resent = resent;
    }
  }

  #interrupt(unique: number): void {
    const request = this.#outbox.inFlight.get(unique);
    if (request !== undefined) this.#outbox.interrupt(request);
  }

  #resend(): void {
    const again = this.#outbox.inFlight.resend();
    if (this.#follows) return;
    for (const request of again) this.#outbox.sendAgain(request);
  }

  #sendInit(): void {
    this.#outbox.send(initMessage(this.offer), { shape: this.#session.shape(INIT), cause: 'init' });
  }

  /** What the dead server had read stays under way; the kernel's own questions do not. */
  #died(): void {
    this.#recovery?.abort();
    for (const request of this.#outbox.inFlight.all()) {
      const own = request.answered !== undefined || request.shape?.operation.opcode === INIT;
      if (own) this.#outbox.inFlight.remove(request);
    }
  }

  #restarted(strategy: Strategy | undefined): void {
    this.cache.incarnation++;
    if (strategy === undefined) return;
    for (let node = 0; node < this.cache.nodes.top; node++) {
      if (this.cache.nodes.has(node)) this.cache.nodes.setFate(node, 'unknown');
    }
    this.#recovery = this.#recover(strategy);
    this.#sendInit();
  }

  #recover(strategy: Strategy): Recovery {
    return new Recovery({
      cache: this.cache,
      outbox: this.#outbox,
      strategy,
      judge: this.#judge,
      successors: this.#successors,
      minor: this.negotiated.minor,
      shape: (opcode) => this.#session.shape(opcode),
    });
  }

  #pull(room: number): void {
    if (this.#recovery === undefined || !this.#recovery.pull(room)) return;
    this.#settleInFlight(this.#recovery.strategy);
    this.#outbox.put({ kind: 'recovered', tally: this.#recovery.tally });
  }

  #shrink(ids: readonly NodeId[] | undefined): void {
    if (ids === undefined) this.cache.shrink();
    for (const id of ids ?? []) {
      const node = this.cache.nodes.find(id);
      if (node !== undefined) this.cache.prune(node);
    }
  }

  #settleInFlight(strategy: Strategy) {
    if (strategy.inFlight === 'resend') return this.#resend();
    const left = this.#outbox.inFlight.all();
    const tags = left.map(({ tag }) => tag);
    if (strategy.inFlight === 'hang') {
      return this.#outbox.put({ kind: 'abandoned', tags, outcome: 'hang' });
    }
    for (const request of left) {
      this.#outbox.inFlight.remove(request);
      if (request.node !== undefined) this.cache.release(request.node);
    }
    return this.#outbox.put({ kind: 'abandoned', tags, outcome: { errno: Errno.ECONNABORTED } });
  }
}

const unreachable = (event: never): never => {
  throw new Error(`no such event: ${String(event)}`);
};
