/** The loop between a channel and an engine. Blocking, one request at a time, yet signals and time-outs are noticed. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoName } from '../base/errno.js';
import { holdsRequest, opcodeOf } from '../protocol/header.js';
import { operationOf } from '../protocol/operations.js';
import type { ServerChannel } from '../transport/server-channel.js';
import type { Engine } from './engine/engine.js';

/** A signal that comes between two waits is noticed after this time at the latest. */
const WAIT_MS = 100;
/** Requests after which JavaScript's own events get a turn, so that signals are noticed under load, too. */
const REQUESTS_A_TURN = 64;
/** Room for headers and names beside the largest write; the kernel wants at least 80 bytes more (fuse_dev_do_read). */
const EXTRA = 65536;

/** What a loop needs to know. */
export interface Serving {
  readonly engine: Engine;
  readonly channel: ServerChannel;
  readonly maxWrite: number;
  /** Milliseconds to wait before an operation is handled, by its name; `*` for all others. */
  readonly delays: ReadonlyMap<string, number>;
  readonly isStopped: () => boolean;
}

/** Serves until the channel ends or somebody stops it. */
export const serve = async (serving: Serving): Promise<void> => {
  const { engine, channel, isStopped } = serving;
  const buffer = new Uint8Array(serving.maxWrite + EXTRA);
  for (let handled = 0; !isStopped(); ) {
    const length = channel.receive(buffer, WAIT_MS);
    if (length === 'ended') return;
    if (length > 0) {
      const request = buffer.subarray(0, length);
      delay(serving.delays, request);
      if (!sendAll(channel, engine.handle(request))) return;
      handled += 1;
    }
    if (length === 0 || handled % REQUESTS_A_TURN === 0) await nextTurn();
  }
};

const sleeper = new Int32Array(new SharedArrayBuffer(4));

const delay = (delays: Serving['delays'], request: Uint8Array): void => {
  if (delays.size === 0 || !holdsRequest(request)) return;
  const name = operationOf(opcodeOf(request))?.name ?? '*';
  const ms = delays.get(name) ?? delays.get('*');
  if (ms !== undefined) Atomics.wait(sleeper, 0, 0, ms);
};

const sendAll = (channel: ServerChannel, messages: readonly Uint8Array[]): boolean => {
  for (const message of messages) {
    const sent = channel.send(message);
    if (sent === 'ended') return false;
    // ENOENT: the caller was killed meanwhile, or the notification is about something that is not cached.
    if (sent !== 'sent' && errnoName(sent.refused) !== 'ENOENT')
      process.stderr.write(`memfs: the kernel refused a message: ${errnoName(sent.refused)}\n`);
  }
  return true;
};
