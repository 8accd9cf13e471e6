/** What a run saw comes back as it was, in its order, whatever became of the buffers that it came in. */

import { describe, expect, test } from 'vitest';
import { Journal } from '#relight/oracle/journal.js';

describe('a journal', () => {
  test('keeps copies in their order, and that there was no reply', () => {
    const seen = new Journal<string>();
    const buffer = new Uint8Array([1, 2, 3]);
    seen.add('first', buffer, 0);
    buffer.fill(9);
    seen.add('second', undefined, 1);
    seen.add('third', buffer, 2);
    expect(seen.size).toBe(3);
    expect([...seen.take()]).toEqual([
      { step: 'first', reply: new Uint8Array([1, 2, 3]), incarnation: 0 },
      { step: 'second', reply: undefined, incarnation: 1 },
      { step: 'third', reply: new Uint8Array([9, 9, 9]), incarnation: 2 },
    ]);
  });

  test('begins anew when it was taken', () => {
    const seen = new Journal<number>();
    seen.add(1, new Uint8Array(4), 3);
    expect([...seen.take()]).toHaveLength(1);
    seen.add(2, undefined, 4);
    expect(seen.size).toBe(1);
    expect([...seen.take()]).toEqual([{ step: 2, reply: undefined, incarnation: 4 }]);
  });

  test('takes replies of any size', () => {
    const seen = new Journal<number>();
    const sizes = [600_000, 600_000, 3_000_000, 16];
    for (const [nth, size] of sizes.entries()) seen.add(nth, new Uint8Array(size).fill(nth + 1), 0);
    expect([...seen.take()].map(({ reply }) => [reply?.length, reply?.[0], reply?.at(-1)])).toEqual(
      sizes.map((size, nth) => [size, nth + 1, nth + 1]),
    );
  });
});
