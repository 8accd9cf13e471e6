import { describe, expect, test } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { plainEnvironment } from '#relight/fuzz/environment.js';
import { type World, worlds } from '#relight/fuzz/environments.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { relookups } from '#relight/replay/inspector.js';
import { whileDownChanges } from '#relight/replay/while-down.js';

const negotiated = { ...newestNegotiated, flags: InitFlag.ASYNC_READ | InitFlag.SETXATTR_EXT };

const some = (count: number, storeChanges: boolean, seed = 1): World[] => {
  const all = worlds({ negotiated, rng: rng(seed), storeChanges });
  return Array.from({ length: count }, () => all.next().value);
};

describe('worlds', () => {
  test('begin with the plain one and come again by the same seed', () => {
    expect(some(1, true)[0]?.environment).toEqual(plainEnvironment);
    expect(some(200, true)).toEqual(some(200, true));
    expect(some(200, true, 2)).not.toEqual(some(200, true));
  });

  test('have every state of a new life, with reasons', () => {
    const all = some(500, true);
    const values = <K extends keyof World['environment']>(key: K) =>
      new Set(all.map(({ environment }) => environment[key]));
    expect(values('aslr')).toEqual(new Set(['on', 'off']));
    expect(values('relookup')).toEqual(new Set(relookups));
    expect(values('whileDown')).toEqual(new Set([undefined, ...whileDownChanges]));
    expect(values('withoutFlags')).toEqual(
      new Set([0n, InitFlag.ASYNC_READ, InitFlag.SETXATTR_EXT, negotiated.flags]),
    );
    expect(values('mallocPerturb').size).toBeGreaterThan(10);
    expect(all.every(({ why }) => why.length > 0 && why.every((one) => /^[^.]{10,}$/.test(one)))).toBe(true);
  });

  test('offer only older minors, at which something changed', () => {
    const minors = some(2000, true).flatMap(({ environment }) => environment.minor ?? []);
    expect(Math.max(...minors)).toBe(44);
    expect(Math.min(...minors)).toBeGreaterThanOrEqual(12);
    expect(minors).toContain(22);
  });

  test('leave a store alone that cannot be changed', () => {
    expect(some(300, false).every(({ environment }) => environment.whileDown === undefined)).toBe(true);
  });
});
