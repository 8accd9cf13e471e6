/** What a driver drives after a restart: what the strategy sends, and what was in flight. */

import type { Command, KernelEvent } from '../kernel/conversation.js';
import type { RequestSource } from './request-source.js';

/** Of a driver, what a recovery relies on. */
interface Driven {
  readonly room: number;
  event(event: KernelEvent, source: Pick<RequestSource, 'hear'>): void;
}

/** Draws a strategy's messages as there is room, and waits for what was sent again. */
export class Recovering implements RequestSource {
  readonly #driver: Driven;
  readonly #listener: RequestSource['hear'];
  #recovered = false;
  /** Uniques of requests that were sent again and not answered yet. */
  readonly #again = new Set<number>();

  constructor(driver: Driven, listener: RequestSource['hear']) {
    this.#driver = driver;
    this.#listener = listener;
  }

  next(): undefined {
    if (!this.#recovered) this.#driver.event({ kind: 'pull', room: this.#driver.room }, this);
    return undefined;
  }

  isDone(): boolean {
    return this.#recovered && this.#again.size === 0;
  }

  hear(command: Command): void {
    if (command.kind === 'recovered') this.#recovered = true;
    else if (command.kind === 'send' && command.cause === 'resend') this.#again.add(command.unique);
    else if (command.kind === 'replied') this.#again.delete(command.unique);
    this.#listener(command);
  }
}
