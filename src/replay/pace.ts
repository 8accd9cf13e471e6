/** When steps are sent: as soon as they may be, or at the recorded times, perhaps stretched or squeezed. */

import { RelightError } from '../base/error.js';

/** `max`: at once. A number: the recorded times divided by it (1 is as recorded). */
export type PaceRate = 'max' | number;

/** Reads `max`, `recorded` or `xN`. Throws `usage` for anything else. */
export const parsePace = (text: string): PaceRate => {
  if (text === 'max') return 'max';
  if (text === 'recorded') return 1;
  const factor = Number(/^x(\d+(?:\.\d+)?)$/.exec(text)?.[1]);
  if (factor > 0) return factor;
  throw new RelightError('usage', `not a pace: '${text}'`, {
    remedy: 'use max, recorded or xN, such as x2 for twice as fast',
  });
};

/** How far sending was from the wanted times, in microseconds. */
export interface PaceError {
  readonly medianUs: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** A clock for one run. */
export class Pace {
  readonly #rate: PaceRate;
  readonly #errorsUs: number[] = [];
  #startMs: number | undefined;

  constructor(rate: PaceRate) {
    this.#rate = rate;
  }

  /** Milliseconds until a step of that recorded time is due; 0 or less when it is. */
  untilMs(timeNs: number): number {
    if (this.#rate === 'max') return 0;
    const now = performance.now();
    this.#startMs ??= now - timeNs / 1e6 / this.#rate;
    return this.#startMs + timeNs / 1e6 / this.#rate - now;
  }

  /** Notes that a step is sent now. */
  sent(timeNs: number): void {
    if (this.#rate !== 'max') this.#errorsUs.push(Math.max(0, -this.untilMs(timeNs) * 1000));
  }

  /** The errors so far; `undefined` at pace `max`. */
  error(): PaceError | undefined {
    if (this.#rate === 'max' || this.#errorsUs.length === 0) return undefined;
    const sorted = Float64Array.from(this.#errorsUs).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { medianUs: at(0.5), p99Us: at(0.99), maxUs: at(1) };
  }
}
