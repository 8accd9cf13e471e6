/**
 * One life of a server under fuzzing: it is started, settles INIT, is talked to past any kernel, and ends. What it is asked
 * besides, and whether its end was wanted, is not known here.
 */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { acceptInit, type InitOffer, initMessage } from '../kernel/negotiation.js';
import type { ServerExit } from '../oracle/exit.js';
import { isNotification, setUnique } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { Connection, PATIENCE_MS } from '../transport/connection.js';
import type { Launcher, LifeChanges } from '../transport/launch.js';
import { holdingsOf, type Mapping, mapsOf } from '../transport/proc.js';
import type { RunningServer } from '../transport/running-server.js';

/** How a server is started. */
export interface BirthOrders {
  readonly launcher: Launcher;
  readonly offer: InitOffer;
  readonly changes: LifeChanges;
  readonly startTimeoutMs: number;
  /** Where messages are received, from an earlier life. */
  readonly buffer: Uint8Array | undefined;
}

/** A server that did not come to life: it ended, or did not answer INIT in time (no exit), or not as a kernel wants it. */
export interface StillBirth {
  readonly exit: ServerExit;
  readonly why: 'ended' | 'silent' | 'refused';
}

const INIT_UNIQUE = 2n;
/** What a process said at its end arrives a moment after the news that it ended. */
const LAST_WORDS_MS = 5;
const DYING_MS = 2000;

/** A server that answers. */
export class Life {
  readonly connection: Connection;
  readonly negotiated: Negotiated;
  readonly #server: RunningServer;
  #end: Promise<ServerExit> | undefined;

  private constructor(server: RunningServer, connection: Connection, negotiated: Negotiated) {
    this.#server = server;
    this.connection = connection;
    this.negotiated = negotiated;
  }

  /** Starts a server. Throws a RelightError `server` when the command cannot be run at all. */
  static async begin(orders: BirthOrders): Promise<Life | StillBirth> {
    const { launcher, changes, buffer, offer } = orders;
    const server = await launcher.launch({}, changes);
    const connection = new Connection(server.channel.ours, server.channel.maxMessage, buffer);
    const request = initMessage(offer);
    setUnique(request, INIT_UNIQUE);
    connection.send(request);
    const reply = await firstReply(server, connection, orders.startTimeoutMs);
    launcher.handedOver();
    const outcome = reply instanceof Uint8Array ? acceptInit(request, reply, offer) : undefined;
    if (outcome?.kind === 'accepted') return new Life(server, connection, outcome.negotiated);
    const why = typeof reply === 'string' ? reply : 'refused';
    return { exit: await bury(server, connection), why };
  }

  /** Memory map, of this moment. */
  get maps(): Mapping[] {
    return mapsOf(this.#server.servingPid);
  }

  /** Memory in bytes and open descriptors, of this moment. */
  get holdings(): ReturnType<typeof holdingsOf> {
    return holdingsOf(this.#server.servingPid);
  }

  /** What it last said on standard error, oldest line first. */
  get stderr(): string[] {
    return this.#server.stderr.lines(STDERR_LINES);
  }

  /** Ends it at once, if it did not end yet. */
  kill(): Promise<ServerExit> {
    this.#end ??= bury(this.#server, this.connection);
    return this.#end;
  }

  /** How it ended, once it closed its channel; it is killed when it does not end soon. */
  async died(): Promise<ServerExit> {
    await this.#server.waitForExit(DYING_MS);
    await sleep(LAST_WORDS_MS);
    return this.kill();
  }
}

/** A sanitizer's report has some dozens of lines. */
const STDERR_LINES = 200;

const bury = async (server: RunningServer, connection: Connection): Promise<ServerExit> => {
  const { code, signal } = await server.end({ graceMs: 0 });
  connection.close();
  return { code, signal, stderr: server.stderr.lines(STDERR_LINES) };
};

const firstReply = async (
  server: RunningServer,
  connection: Connection,
  timeoutMs: number,
): Promise<Uint8Array | 'ended' | 'silent'> => {
  const deadline = performance.now() + timeoutMs;
  let reply: Uint8Array | undefined;
  const take = (message: Uint8Array): boolean => {
    if (!isNotification(message)) reply ??= message.slice();
    return false;
  };
  while (reply === undefined) {
    if (connection.receive(take, PATIENCE_MS) === 'taken') continue;
    await nextTurn();
    // We hold the server's end ourselves until INIT is answered, so its death does not show on the channel.
    if (server.look() !== undefined) return 'ended';
    if (performance.now() > deadline) return 'silent';
  }
  return reply;
};
