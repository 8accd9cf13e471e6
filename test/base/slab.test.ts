import { expect, test } from 'vitest';
import { Slab } from '#relight/base/slab.js';

test('arrays do not overlap, whatever their lengths', () => {
  const slab = new Slab();
  const arrays = Array.from({ length: 3000 }, (_, n) => slab.take((n * 37) % 10_000).fill(n % 251));
  for (const [n, bytes] of arrays.entries()) {
    expect(bytes.length).toBe((n * 37) % 10_000);
    expect(bytes.every((byte) => byte === n % 251)).toBe(true);
  }
});

test('a copy goes its own way', () => {
  const original = Uint8Array.of(1, 2, 3);
  const copy = new Slab().copy(original);
  original.fill(0);
  expect([...copy]).toEqual([1, 2, 3]);
});
