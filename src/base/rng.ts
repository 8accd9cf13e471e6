/** Random numbers of one seed: the same seed gives the same run. */

import { uniformBigInt } from 'pure-rand/distribution/uniformBigInt';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers; every draw moves it on. */
export interface Rng {
  /** Whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** Any 64-bit number. */
  u64(): bigint;
  /** True with the given chance, 0 to 1. */
  chance(probability: number): boolean;
  /** One of the items; `undefined` when there are none. */
  pick<T>(items: readonly T[]): T | undefined;
  /** The same items in another order (a new array). */
  shuffle<T>(items: readonly T[]): T[];
  /** A stream of its own, which draws from this one once and never again. */
  fork(): Rng;
}

/** A stream from a seed; the seed's low 32 bits count. */
export const rng = (seed: number): Rng => {
  const source = xoroshiro128plus(seed | 0);
  const self: Rng = {
    int: (min, max) => uniformInt(source, min, max),
    u64: () => uniformBigInt(source, 0n, (1n << 64n) - 1n),
    chance: (probability) => uniformInt(source, 0, 0x3fffffff) < probability * 0x40000000,
    pick: (items) => (items.length === 0 ? undefined : items[uniformInt(source, 0, items.length - 1)]),
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = uniformInt(source, 0, i);
        const a = out[i] as (typeof out)[number];
        out[i] = out[j] as (typeof out)[number];
        out[j] = a;
      }
      return out;
    },
    fork: () => rng(uniformInt(source, -0x80000000, 0x7fffffff)),
  };
  return self;
};
