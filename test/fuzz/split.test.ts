import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findGuilty } from '#relight/fuzz/split.js';

/** A server that dies once all of these cases were tried. */
const needs =
  (guilty: readonly number[]) =>
  async (cases: readonly number[]): Promise<string | undefined> =>
    guilty.every((one) => cases.includes(one)) ? 'died' : undefined;

describe('the guilty cases of a batch', () => {
  test('one of 1,024 is found in 12 attempts', async () => {
    const found = await findGuilty({ count: 1024, suspects: [] }, needs([700]));
    expect(found).toEqual({ cases: [700], failure: 'died', attempts: 12 });
  });

  test('a suspect is tried alone first', async () => {
    const found = await findGuilty({ count: 1024, suspects: [3, 700] }, needs([700]));
    expect(found).toEqual({ cases: [700], failure: 'died', attempts: 2 });
  });

  test('one or two are found wherever they are', async () => {
    const batch = fc
      .integer({ min: 1, max: 300 })
      .chain((count) =>
        fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: 2 })),
      );
    await fc.assert(
      fc.asyncProperty(batch, async ([count, guilty]) => {
        const found = await findGuilty({ count, suspects: [] }, needs(guilty));
        expect(found?.cases).toEqual([...guilty].sort((a, b) => a - b));
        expect(found?.attempts).toBeLessThanOrEqual(4 * Math.ceil(Math.log2(count + 1)) + 3);
      }),
    );
  });

  test('three that are needed together are kept, with what lies between', async () => {
    const found = await findGuilty({ count: 64, suspects: [] }, needs([1, 40, 60]));
    expect(found?.cases).toEqual(expect.arrayContaining([1, 40, 60]));
  });

  test('a failure that does not come again has no guilty case', async () => {
    expect(await findGuilty({ count: 8, suspects: [2] }, async () => undefined)).toBeUndefined();
  });
});
