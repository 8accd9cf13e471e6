/** What the rest of relight takes for granted of its ground floor. */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Errno, errnoName, errnoNumber } from '#relight/base/errno.js';
import { nodeId } from '#relight/base/ids.js';
import { rng } from '#relight/base/rng.js';
import { nearest } from '#relight/base/spelling.js';

describe('errno', () => {
  test('names and numbers are each other’s inverse, with either sign', () => {
    for (const [name, number] of Object.entries(Errno)) {
      expect(errnoName(number)).toBe(name);
      expect(errnoName(-number)).toBe(name);
      expect(errnoNumber(name)).toBe(number);
    }
  });

  test('what Linux does not have', () => {
    expect(errnoName(0)).toBe('OK');
    expect(errnoName(-4095)).toBe('errno 4095');
    expect(errnoNumber('toString')).toBeUndefined();
  });
});

describe('spelling', () => {
  test('the nearest known word, whatever its case; none when none is near', () => {
    const known = ['record', 'replay', 'repair', 'o'];
    expect(nearest('recrod', known)).toBe('record');
    expect(nearest('REPLY', known)).toBe('replay');
    expect(nearest('show', known)).toBeUndefined();
    expect(nearest('x', known)).toBeUndefined();
  });
});

describe('ids', () => {
  test('wrap at 64 bits as the wire does', () => {
    expect(nodeId((1n << 64n) + 7n)).toBe(7n);
    expect(nodeId(-1n)).toBe(0xffffffffffffffffn);
  });
});

describe('rng', () => {
  const draw = (seed: number) => {
    const source = rng(seed);
    return [source.u64(), source.int(0, 1000), source.shuffle([1, 2, 3, 4, 5]), source.fork().u64()];
  };

  test('one seed, one run', () => {
    fc.assert(fc.property(fc.integer(), (seed) => isDeepStrictEqual(draw(seed), draw(seed))));
  });

  test('shuffle keeps the items, chance keeps its bounds, pick of nothing is nothing', () => {
    const source = rng(1);
    expect(source.shuffle([3, 1, 2]).sort()).toEqual([1, 2, 3]);
    expect(Array.from({ length: 50 }, () => source.chance(0)).includes(true)).toBe(false);
    expect(Array.from({ length: 50 }, () => source.chance(1)).includes(false)).toBe(false);
    expect(source.pick([])).toBeUndefined();
  });
});
