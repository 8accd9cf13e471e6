/** The first thing that a driver drives: INIT, until it is answered. */

import type { Command, Disconnected } from '../kernel/conversation.js';
import type { RequestSource } from './request-source.js';

/** Waits for the answer to INIT. */
export class Handshake implements RequestSource {
  refused: Disconnected | undefined;
  #settled = false;

  next(): undefined {
    return undefined;
  }

  isDone(): boolean {
    return this.#settled;
  }

  hear(command: Command): void {
    if (command.kind === 'disconnected') this.refused = command;
    if (command.kind === 'connected' || command.kind === 'disconnected') this.#settled = true;
  }
}
