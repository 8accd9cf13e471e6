/** What the kernel has to send and to tell: gives requests their uniques and keeps track of those that await a reply. */

import { mostForgets } from '../protocol/batch-forget.js';
import type { Cause, Command } from './conversation.js';
import type { Forget, ForgetQueue } from './forget-queue.js';
import { type Answer, type InFlight, InFlightTable } from './in-flight.js';
import { batchForgetMessage, forgetMessage, interruptMessage, stampUnique } from './messages.js';
import type { Shape } from './shape.js';

/** What goes with a message. */
export interface Sending {
  readonly shape: Shape | undefined;
  readonly cause: Cause;
  readonly tag?: number;
  /** Node that the request holds until its reply. */
  readonly node?: number | undefined;
  /** Told what came of it, in place of a `replied` command. */
  readonly answered?: (answer: Answer) => void;
}

/** Uniques go up by 2, bit 0 is for INTERRUPT (FUSE_REQ_ID_STEP). */
const STEP = 2;
const BATCH_FORGET_SINCE = 16;
const none: readonly Command[] = [];
/** Uniques of requests without reply that are remembered, to tell a wrong reply to one from a second reply. */
const SILENT_KEPT = 1024;

/** Commands of the event that is being handled, and the requests under way. */
export class Outbox {
  readonly inFlight = new InFlightTable();
  readonly #forgets: ForgetQueue;
  readonly #session: () => { readonly minor: number; readonly maxWrite: number };
  #commands: Command[] | undefined;
  #last = 0;
  #noInterrupt = false;
  readonly #silent = new Set<number>();

  constructor(forgets: ForgetQueue, session: () => { readonly minor: number; readonly maxWrite: number }) {
    this.#forgets = forgets;
    this.#session = session;
  }

  /** Adds a command. */
  put(command: Command): void {
    // Most events have one command: an array made with it takes a fifth of the memory of an empty one that grows.
    if (this.#commands === undefined) this.#commands = [command];
    else this.#commands.push(command);
  }

  /** The commands since the last time. */
  take(): readonly Command[] {
    const commands = this.#commands;
    this.#commands = undefined;
    return commands ?? none;
  }

  /** Gives a request the next unique and sends it, after what was to be forgotten before it. */
  send(bytes: Uint8Array, sending: Sending): void {
    this.flush();
    this.#last += STEP;
    stampUnique(bytes, this.#last);
    this.#sendAs(bytes, this.#last, sending);
  }

  /** Sends a request under the unique that it has, which the server chose (NOTIFY_REPLY); no reply is to come. */
  sendOwn(bytes: Uint8Array, cause: Cause, tag?: number): void {
    this.put({ kind: 'send', bytes, unique: 0, awaits: false, cause, tag });
  }

  /** Follows a request that the real kernel sent. */
  follow(request: InFlight, awaits: boolean): void {
    this.#last = Math.max(this.#last, request.unique);
    if (awaits) this.inFlight.add(request);
    else this.#remember(request.unique);
  }

  /** Sends a request under way again, and INTERRUPT after it where it had one (`fuse_dev_do_read`). */
  sendAgain(request: InFlight): void {
    const { bytes, unique, tag } = request;
    stampUnique(bytes, unique, true);
    this.put({ kind: 'send', bytes, unique, awaits: true, cause: 'resend', tag });
    if (request.interrupted) this.interrupt(request);
  }

  /** Sends no INTERRUPT any more, as the server does not know it (`fuse_chan.no_interrupt`). */
  forbidInterrupts(): void {
    this.#noInterrupt = true;
  }

  /** Sends INTERRUPT for a request. */
  interrupt(request: InFlight): void {
    if (this.#noInterrupt) return;
    request.interrupted = true;
    const { unique, tag } = request;
    const bytes = interruptMessage(unique, request.resent);
    this.put({ kind: 'send', bytes, unique, awaits: false, cause: 'interrupt', tag });
  }

  /**
   * Sends the forgets that wait: one as FORGET, several as BATCH_FORGET where the minor has it, as many at a time as the
   * smallest buffer holds that a server may read with (`fuse_read_forget`, `fuse_dev_do_read`).
   */
  flush(): void {
    if (this.#forgets.size === 0) return;
    const { minor, maxWrite } = this.#session();
    const most = minor < BATCH_FORGET_SINCE ? 1 : mostForgets(maxWrite);
    while (this.#forgets.size > 0) this.#sendForgets(takeSome(this.#forgets, most));
  }

  /** What a unique without request stands for: `answered` before, `unawaited`, or never given. */
  classify(unique: number): 'answered' | 'unawaited' | 'unknownUnique' {
    if (unique === 0 || unique % STEP !== 0 || unique > this.#last) return 'unknownUnique';
    return this.#silent.has(unique) ? 'unawaited' : 'answered';
  }

  #sendForgets(batch: readonly Forget[]): void {
    const [first] = batch;
    if (first === undefined) return;
    const bytes = batch.length === 1 ? forgetMessage(first) : batchForgetMessage(batch);
    this.#last += STEP;
    stampUnique(bytes, this.#last);
    this.#remember(this.#last);
    this.put({ kind: 'send', bytes, unique: this.#last, awaits: false, cause: 'forget', tag: undefined });
  }

  #sendAs(bytes: Uint8Array, unique: number, { shape, cause, tag, node, answered }: Sending): void {
    const awaits = shape === undefined || shape.answered === 'always';
    if (awaits) {
      this.inFlight.add({
        unique,
        shape,
        bytes,
        tag: tag ?? 0,
        node,
        answered,
        resent: false,
        interrupted: false,
      });
    } else {
      this.#remember(unique);
    }
    this.put({ kind: 'send', bytes, unique, awaits, cause, tag });
  }

  #remember(unique: number): void {
    this.#silent.add(unique);
    if (this.#silent.size <= SILENT_KEPT) return;
    for (const oldest of this.#silent) {
      this.#silent.delete(oldest);
      return;
    }
  }
}

const takeSome = (forgets: ForgetQueue, most: number): Forget[] => {
  const batch: Forget[] = [];
  while (batch.length < most) {
    const forget = forgets.shift();
    if (forget === undefined) break;
    batch.push(forget);
  }
  return batch;
};
