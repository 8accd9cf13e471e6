import { describe, expect, test } from 'vitest';
import { Growth } from '#relight/fuzz/growth.js';

const MIB = 1024 * 1024;
const BATCH = 1000;

/** Plays lives of 16 batches; `memory` and `descriptors` are what is held after each. */
const lives = (
  count: number,
  memory: (batch: number) => number,
  descriptors: (batch: number) => number = () => 12,
): string[] => {
  const growth = new Growth();
  for (let life = 0; life < count; life++) {
    for (let batch = 0; batch < 16; batch++)
      growth.took(BATCH, { memory: memory(batch), descriptors: descriptors(batch) });
    growth.ended();
  }
  return growth.notes;
};

describe('growth of a server', () => {
  test('is told with figures when it goes on in every life', () => {
    const [note, ...others] = lives(3, (batch) => (20 + batch) * MIB);
    expect(others).toEqual([]);
    expect(note).toContain('memory grew steadily in 3 of 3 lives');
    expect(note).toContain('from 20.0 MiB to 32.0 MiB over 12000 cases');
  });

  test('is told of descriptors too', () => {
    expect(
      lives(
        2,
        () => 20 * MIB,
        (batch) => 10 + 4 * batch,
      ),
    ).toEqual([expect.stringContaining('number of descriptors grew steadily in 2 of 2 lives')]);
  });

  test('is none when it fills up, goes up and down, or was seen once', () => {
    expect(lives(3, (batch) => 40 * MIB - (20 * MIB) / 2 ** batch)).toEqual([]);
    expect(lives(3, (batch) => (20 + 10 * (batch % 4)) * MIB)).toEqual([]);
    expect(lives(1, (batch) => (20 + batch) * MIB)).toEqual([]);
    expect(lives(3, () => 0)).toEqual([]);
  });
});
