import { describe, expect, test } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { type Cast, type CastObject, castFrom, castUnder } from '#relight/fuzz/cast.js';
import { firstLife, laterLife, type PrologueStep } from '#relight/fuzz/prologue.js';
import { u64At } from '#relight/protocol/raw.js';
import { recorded, stageOf } from './stage.js';

const { cast } = stageOf();
const kindsOf = (objects: readonly CastObject[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { type, role } of objects) counts[`${role} ${type}`] = (counts[`${role} ${type}`] ?? 0) + 1;
  return counts;
};

describe('a cast', () => {
  test('has every type, parents first, and nothing that was removed', () => {
    expect(kindsOf(cast.objects)).toEqual({
      'kept directory': 4,
      'kept file': 10,
      'spare file': 2,
      'forgotten file': 2,
      'kept symlink': 2,
      'spare symlink': 1,
      'kept other': 1,
    });
    expect(cast.objects.every(({ parent, index }) => parent === undefined || parent.index < index)).toBe(
      true,
    );
    expect(cast.objects.map(({ path }) => path)).not.toContain('/gone');
  });

  test('is the same of the same plan, and no larger than asked', () => {
    expect(castFrom(recorded()).objects).toEqual(cast.objects);
    const few = castFrom(recorded(), { size: 5 }).objects;
    expect(few.map(({ path }) => path)).toEqual(['/', '/d0', '/f0', '/f1', '/l0', '/d0/inner']);
  });

  test('gives every number a symbol of its own but the root', () => {
    const used = cast.objects.flatMap(({ old, live, forgotten, released }) => [
      old.node,
      old.handle,
      live?.node,
      live?.handle,
      forgotten,
      released,
    ]);
    const ids = used.filter((id) => id !== undefined && id !== 0);
    expect(new Set(ids).size).toBe(ids.length);
    expect(cast.symbols.map(({ id }) => id)).toEqual(cast.symbols.map((_, index) => index));
    expect(ids.length + 1 + cast.memory.flat().length).toBe(cast.symbols.length);
  });

  test('has in a life only what that life looked up', () => {
    const none = castUnder(cast, 'none');
    expect(none.live.any.map(({ path }) => path)).toEqual(['/']);
    expect(none.forgotten.any).toEqual([]);
    const same = castUnder(cast, 'same');
    expect(same.live.any.length).toBe(cast.live.any.length);
    expect([same.liveOpen.any, same.released.any]).toEqual([[], []]);
    expect(same.old.any.length).toBe(cast.old.any.length);
  });
});

describe('a prologue', () => {
  /** Symbols that a life has in hand after its steps; throws when one is used before it was minted. */
  const play = (steps: readonly PrologueStep[], whole: Cast): Set<number> => {
    const held = new Set([0]);
    for (const { patches, mints, bytes, op } of steps) {
      for (const patch of patches) {
        if (patch.kind !== 'symbol' || !held.has(patch.symbol))
          throw new Error(`${op.name} uses what is not held`);
        if (patch.use.act === 'release') held.delete(patch.symbol);
        expect(u64At(bytes, patch.offset)).toBe(0n);
      }
      for (const { symbol } of mints) held.add(symbol);
    }
    expect([...held].every((id) => id < whole.symbols.length)).toBe(true);
    return held;
  };
  const sorted = (ids: Iterable<number | undefined>): number[] =>
    [...new Set([...ids].filter((id) => id !== undefined))].sort((a, b) => a - b);

  test('of the first life mints every old id, parents first', () => {
    const old = cast.objects.flatMap((object) => [object.old.node, object.old.handle]);
    expect(sorted(play(firstLife(cast), cast))).toEqual(sorted(old));
  });

  test('of a later life ends with the live ids in hand', () => {
    for (const relookup of ['none', 'same', 'shuffled', 'shuffled+open'] as const) {
      const part = castUnder(cast, relookup);
      const live = part.objects.flatMap((object) => [object.live?.node, object.live?.handle]);
      expect(sorted(play(laterLife(part, relookup, rng(4)), cast))).toEqual(sorted(live));
    }
  });

  test('opens for reading what cannot be opened for writing', () => {
    const opens = firstLife(cast).filter(({ op }) => op.name === 'OPEN');
    expect(opens[0]).toMatchObject({ bytes: { 40: 2 }, instead: [{ 40: 0 }] });
  });
});
