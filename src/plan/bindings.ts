/** Which number each symbol of a plan stands for with the incarnation at hand. It knows no messages. */

import { u32At } from '../protocol/raw.js';
import type { Plan } from './plan.js';
import { ROOT_SYMBOL } from './plan.js';

/** A table of numbers by symbol. A symbol that was never bound stands for the recorded number. */
export class Bindings {
  /** Two words for each symbol, low half first. */
  readonly #words: Uint32Array;
  readonly #isBound: Uint8Array;

  private constructor(words: Uint32Array, isBound: Uint8Array) {
    this.#words = words;
    this.#isBound = isBound;
  }

  /** The recorded numbers; only the root is bound. */
  static of(plan: Pick<Plan, 'symbols'>): Bindings {
    const bindings = new Bindings(
      new Uint32Array(plan.symbols.length * 2),
      new Uint8Array(plan.symbols.length),
    );
    for (const { id, recorded } of plan.symbols) bindings.#put(id, recorded);
    bindings.#isBound[ROOT_SYMBOL] = 1;
    return bindings;
  }

  /** Symbols that have a place here. */
  get size(): number {
    return this.#isBound.length;
  }

  /** The number that a symbol stands for. */
  get(symbol: number): bigint {
    return (BigInt(this.#words[symbol * 2 + 1] ?? 0) << 32n) | BigInt(this.#words[symbol * 2] ?? 0);
  }

  /** Binds a symbol to a number modulo 2^64. */
  set(symbol: number, value: bigint): void {
    this.#put(symbol, value);
    this.#isBound[symbol] = 1;
  }

  /** Whether a symbol was bound since the start or the last `unbind`. */
  isBound(symbol: number): boolean {
    return this.#isBound[symbol] === 1;
  }

  /** Takes every bond back, except the root's; the numbers stay, as an old kernel's would for a new incarnation. */
  unbind(): void {
    this.#isBound.fill(0);
    this.#isBound[ROOT_SYMBOL] = 1;
  }

  /** A copy that goes its own way. */
  fork(): Bindings {
    return new Bindings(this.#words.slice(), this.#isBound.slice());
  }

  /** Binds a symbol to the u64 at a place of a frame. */
  take(symbol: number, bytes: Uint8Array, at: number): void {
    this.#words[symbol * 2] = u32At(bytes, at);
    this.#words[symbol * 2 + 1] = u32At(bytes, at + 4);
    this.#isBound[symbol] = 1;
  }

  /** Writes a symbol's number at a place of a frame. */
  write(symbol: number, into: Uint8Array, at: number): void {
    put32(into, at, this.#words[symbol * 2] ?? 0);
    put32(into, at + 4, this.#words[symbol * 2 + 1] ?? 0);
  }

  #put(symbol: number, value: bigint): void {
    this.#words[symbol * 2] = Number(BigInt.asUintN(32, value));
    this.#words[symbol * 2 + 1] = Number(BigInt.asUintN(32, value >> 32n));
  }
}

const put32 = (into: Uint8Array, at: number, value: number): void => {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
};
