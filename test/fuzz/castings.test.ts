import { describe, expect, test } from 'vitest';
import { Castings } from '#relight/fuzz/castings.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { operationNamed } from '#relight/protocol/operations.js';
import { recorded } from './stage.js';

const older = { ...newestNegotiated, minor: 22 };

describe('castings', () => {
  test('are one for sessions of the same layouts', () => {
    const castings = new Castings(recorded(), 1);
    const like = { ...newestNegotiated, maxWrite: 4096 };
    expect(castings.seedsIn(like)).toBe(castings.seedsIn(newestNegotiated));
    expect(castings.castIn(like, 'none')).toBe(castings.castIn(newestNegotiated, 'none'));
    expect(castings.seedsIn(older)).not.toBe(castings.seedsIn(newestNegotiated));
  });

  test('have no operation that the session lacks, and no frame of another layout', () => {
    const castings = new Castings(recorded(), 1);
    const seeds = castings.seedsIn(older);
    expect(seeds.has(operationNamed('RENAME2'))).toBe(false);
    expect(castings.seedsIn(newestNegotiated).has(operationNamed('RENAME2'))).toBe(true);
    for (const [op, all] of seeds)
      for (const { bytes } of all)
        expect(decodeRequest(bytes, older)).toMatchObject({ kind: 'request', name: op.name });
    expect(castings.castIn(older, 'same').negotiated).toBe(older);
  });

  test('prepare the last life only in another session', () => {
    const castings = new Castings(recorded(), 1);
    const [usual, other] = [newestNegotiated, older].map((one) => castings.preparationIn(one, 'same'));
    expect(other?.symbols).toBe(usual?.symbols);
    expect(other?.lives[0]).toEqual(usual?.lives[0]);
  });
});
