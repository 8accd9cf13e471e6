/** What a recovery came to: which nodes survived, at what cost. */

import type { OperationName } from '../protocol/operations.js';

/** Counts of one recovery; nodes that it has not asked about are in none of the three. */
export interface Tally {
  /** Nodes that the earlier incarnation had given, the root left out. */
  readonly nodes: number;
  readonly survived: number;
  readonly lost: number;
  /** Survivors that the judge took for other objects; 0 without a judge. */
  readonly wronglyKept: number;
  /** Messages sent on the recovery's account, by operation. */
  readonly messages: Readonly<Partial<Record<OperationName, number>>>;
}

/** Counts while a recovery runs. */
export class Counting {
  readonly #messages = new Map<OperationName, number>();
  #nodes = 0;
  #survived = 0;
  #lost = 0;
  #wronglyKept = 0;

  /** Starts anew for so many nodes. */
  begin(nodes: number): void {
    this.#messages.clear();
    this.#nodes = nodes;
    this.#survived = 0;
    this.#lost = 0;
    this.#wronglyKept = 0;
  }

  /** Counts a message. */
  sent(name: OperationName): void {
    this.#messages.set(name, (this.#messages.get(name) ?? 0) + 1);
  }

  /** Counts a node whose fate is known. */
  decided(fate: 'survived' | 'lost', wrong = false): void {
    if (fate === 'survived') this.#survived++;
    else this.#lost++;
    if (wrong) this.#wronglyKept++;
  }

  /** The counts now. */
  read(): Tally {
    return {
      nodes: this.#nodes,
      survived: this.#survived,
      lost: this.#lost,
      wronglyKept: this.#wronglyKept,
      messages: Object.fromEntries(this.#messages),
    };
  }
}
