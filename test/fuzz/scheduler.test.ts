import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { Scheduler, type Yield } from '#relight/fuzz/scheduler.js';
import { WeightedDraw } from '#relight/fuzz/weighted-draw.js';

const DRAWS = 20_000;

const tally = (draw: () => number | undefined): Map<number | undefined, number> => {
  const counts = new Map<number | undefined, number>();
  for (let n = 0; n < DRAWS; n++) {
    const index = draw();
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return counts;
};

describe('weighted draw', () => {
  test('draws each thing as often as its share of the weights', () => {
    const weights = [1, 0, 3, 4, 2];
    const draw = new WeightedDraw(weights);
    const random = rng(1);
    const counts = tally(() => draw.draw(random));
    expect(counts.get(1)).toBeUndefined();
    for (const [index, weight] of weights.entries())
      expect(Math.abs((counts.get(index) ?? 0) / DRAWS - weight / 10)).toBeLessThan(0.02);
  });

  test('never draws what has no weight, whatever was set before', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(weights, weights, fc.integer(), (before, after, seed) => {
        const draw = new WeightedDraw(before);
        for (const [index, weight] of after.slice(0, before.length).entries()) draw.set(index, weight);
        const random = rng(seed);
        for (let n = 0; n < 20; n++) {
          const index = draw.draw(random);
          if (index === undefined) return before.every((_, at) => draw.weightOf(at) === 0);
          if (draw.weightOf(index) <= 0) return false;
        }
        return true;
      }),
    );
  });
});

const arms = ['a', 'b', 'c', 'd'].map((op) => ({ mutator: 'nodeid.stale', op, weight: 1 }));
const shareOf = (scheduler: Scheduler, arm: number): number => {
  const random = rng(7);
  return (tally(() => scheduler.next(random)).get(arm) ?? 0) / DRAWS;
};

describe('scheduler', () => {
  test('prefers what led to something new', () => {
    const scheduler = new Scheduler(arms);
    const before = shareOf(scheduler, 2);
    scheduler.saw(2, 'new');
    expect(shareOf(scheduler, 2)).toBeGreaterThan(before * 1.4);
  });

  test('rests what kills the server as before, and never gives it up', () => {
    const scheduler = new Scheduler(arms);
    for (let n = 0; n < 30; n++) scheduler.saw(1, 'costly');
    expect(shareOf(scheduler, 1)).toBeLessThan(0.005);
    expect(shareOf(scheduler, 1)).toBeGreaterThan(0);
  });

  test('tries dull arms less often, down to a share', () => {
    const scheduler = new Scheduler(arms);
    for (let n = 0; n < 100_000; n++) scheduler.saw(0, 'known');
    expect(shareOf(scheduler, 0)).toBeGreaterThan(0.04);
    expect(shareOf(scheduler, 0)).toBeLessThan(0.1);
  });

  test('tries an arm less often that has nothing to try', () => {
    const scheduler = new Scheduler(arms);
    scheduler.saw(3, 'nothing');
    expect(shareOf(scheduler, 3)).toBeLessThan(0.17);
    for (let n = 0; n < 10; n++) scheduler.saw(3, 'nothing');
    expect(shareOf(scheduler, 3)).toBeGreaterThan(0.04);
  });

  test('the same seed and yields give the same choices', () => {
    const yields: Yield[] = ['new', 'known', 'costly', 'known'];
    const run = (seed: number): (number | undefined)[] => {
      const scheduler = new Scheduler(arms);
      const random = rng(seed);
      return Array.from({ length: 200 }, (_, n) => {
        const index = scheduler.next(random);
        if (index !== undefined) scheduler.saw(index, yields[(n * 7 + index) % 4] ?? 'known');
        return index;
      });
    };
    for (const seed of [0, 1, -5, 123_456]) expect(run(seed)).toEqual(run(seed));
  });
});
