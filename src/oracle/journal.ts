/**
 * Exchanges that were seen and not read yet, in their order. It keeps bytes and numbers, not objects: a replay adds one for
 * each reply, and what the garbage collector has to walk past a million times costs more than the copy.
 */

import { Column } from '../kernel/column.js';

/** A reply, or that there was none, to a step of some kind. */
export interface Entry<Step> {
  readonly step: Step;
  readonly reply: Uint8Array | undefined;
  readonly incarnation: number;
}

const CHUNK_BYTES = 1 << 20;

/** A list that is written by many and read at once. */
export class Journal<Step> {
  #steps: Step[] = [];
  #chunks: Uint8Array[] = [];
  #used = CHUNK_BYTES;
  readonly #incarnation = new Column();
  /** Number of the chunk plus one, 0 without a reply; where in it the reply begins and how long it is. */
  readonly #chunk = new Column();
  readonly #start = new Column();
  readonly #length = new Column();

  /** Exchanges that wait. */
  get size(): number {
    return this.#steps.length;
  }

  /** Adds an exchange; the reply is copied. */
  add(step: Step, reply: Uint8Array | undefined, incarnation: number): void {
    const at = this.#steps.push(step) - 1;
    this.#incarnation.set(at, incarnation);
    if (reply === undefined) this.#chunk.set(at, 0);
    else this.#keep(at, reply);
  }

  /** All that waited, oldest first; nothing waits afterwards. */
  *take(): Iterable<Entry<Step>> {
    const [steps, chunks] = [this.#steps, this.#chunks];
    this.#steps = [];
    this.#chunks = [];
    this.#used = CHUNK_BYTES;
    for (const [at, step] of steps.entries()) {
      const chunk = chunks[this.#chunk.get(at) - 1];
      const start = this.#start.get(at);
      const reply = chunk?.subarray(start, start + this.#length.get(at));
      yield { step, reply, incarnation: this.#incarnation.get(at) };
    }
  }

  #keep(at: number, reply: Uint8Array): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#used + reply.length > chunk.length) {
      chunk = new Uint8Array(Math.max(CHUNK_BYTES, reply.length));
      this.#chunks.push(chunk);
      this.#used = 0;
    }
    chunk.set(reply, this.#used);
    this.#chunk.set(at, this.#chunks.length);
    this.#start.set(at, this.#used);
    this.#length.set(at, reply.length);
    this.#used += reply.length;
  }
}
