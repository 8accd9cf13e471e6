/** Percentiles of many durations in little memory: buckets that are at most 1/64 wide, so 1.6 % wrong at most. */

/** Durations below are counted exactly. */
const EXACT = 128;
const STEPS = 64;

const bucketOf = (value: number): number => {
  if (value < EXACT) return value;
  const exponent = Math.floor(Math.log2(value)) - Math.log2(STEPS);
  return EXACT + (exponent - 1) * STEPS + (Math.floor(value / 2 ** exponent) - STEPS);
};

const topOf = (bucket: number): number => {
  if (bucket < EXACT) return bucket;
  const exponent = Math.floor((bucket - EXACT) / STEPS) + 1;
  return (((bucket - EXACT) % STEPS) + STEPS + 1) * 2 ** exponent - 1;
};

/** A distribution of whole numbers from 0 to 2^53 - 1. */
export class Quantiles {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #max = 0;

  /** Values added. */
  get count(): number {
    return this.#count;
  }

  /** The largest value, exactly; 0 when there is none. */
  get max(): number {
    return this.#max;
  }

  /** Adds a value; negative ones (a clock that stepped back) count as 0. */
  add(value: number): void {
    const whole = Math.max(0, Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER));
    const bucket = bucketOf(whole);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
    this.#max = Math.max(this.#max, whole);
  }

  /** The value that `share` (0 to 1) of all do not exceed; 0 when there is none. */
  at(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (const [bucket, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.min(topOf(bucket), this.#max);
    }
    return this.#max;
  }
}
