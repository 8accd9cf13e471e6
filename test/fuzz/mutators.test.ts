import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { rng } from '#relight/base/rng.js';
import type { Case } from '#relight/fuzz/case.js';
import { mutatorFamilies } from '#relight/fuzz/case.js';
import { type Cast, castUnder } from '#relight/fuzz/cast.js';
import type { Mutator } from '#relight/fuzz/mutator.js';
import { attacksOn, mutators } from '#relight/fuzz/mutators.js';
import type { Seed } from '#relight/fuzz/seed.js';
import { InitFlag } from '#relight/protocol/flags.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { operations } from '#relight/protocol/operations.js';
import { relookups } from '#relight/replay/inspector.js';
import { stageOf } from './stage.js';

const sessions = [
  newestNegotiated,
  { ...newestNegotiated, flags: InitFlag.SETXATTR_EXT },
  { ...newestNegotiated, minor: 31 },
  { ...newestNegotiated, minor: 8 },
];
const stages = sessions.map(stageOf);
const [stage = stageOf()] = stages;
const LONGEST = 70_000;

const faultsOf = ({ requests, wrong, meant, op }: Case, cast: Cast): string[] => {
  const faults: string[] = [];
  const about = requests[wrong];
  if (about === undefined || (about.op !== undefined && about.op.name !== op)) faults.push(`not about ${op}`);
  for (const { bytes, patches, repeats = 0 } of requests) {
    if (bytes.length > LONGEST) faults.push(`${bytes.length} bytes`);
    if (repeats < 0 || repeats >= requests.length) faults.push('repeats nothing');
    for (const patch of patches) {
      if (patch.kind === 'step' && requests[patch.step ?? -1] === undefined)
        faults.push('interrupts nothing');
      if (patch.offset + 8 > bytes.length) faults.push(`patch at ${patch.offset} of ${bytes.length}`);
      if (patch.kind === 'symbol' && cast.symbols[patch.symbol] === undefined) faults.push('unknown symbol');
    }
  }
  if (meant.some((id) => cast.symbols[id]?.kind !== 'node')) faults.push('means no node');
  return faults;
};

const anyAttack = fc.record({
  stage: fc.constantFrom(...stages),
  relookup: fc.constantFrom(...relookups),
  mutator: fc.constantFrom(...mutators),
  op: fc.nat(operations.length - 1),
  seed: fc.nat(10_000),
});

const seedsFor = (all: (typeof stages)[number], op: number): readonly Seed[] => {
  const row = operations[op];
  return (row && all.seeds.get(row)) ?? [];
};

describe('every mutator', () => {
  it('has a name of its own that begins with its family, and a reason', () => {
    expect(new Set(mutators.map(({ name }) => name)).size).toBe(mutators.length);
    for (const { name, family, why, weight } of mutators) {
      expect(name.startsWith(`${family}.`)).toBe(true);
      expect(mutatorFamilies).toContain(family);
      expect(why).toMatch(/^[^.]{20,}$/);
      expect(weight).toBeGreaterThan(0);
    }
  });

  it('makes sound cases of every operation, whatever the life knows', () => {
    fc.assert(
      fc.property(anyAttack, ({ stage: on, relookup, mutator, op, seed }) => {
        const cast = castUnder(on.cast, relookup);
        for (const start of seedsFor(on, op)) {
          const made = mutator.make(start, cast, rng(seed));
          if (made === undefined) continue;
          expect(faultsOf(made, cast)).toEqual([]);
          expect(made.mutator).toBe(mutator.name);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('makes the same case of the same seed, and leaves the request as it was', () => {
    fc.assert(
      fc.property(anyAttack, ({ stage: on, mutator, op, seed }) => {
        for (const start of seedsFor(on, op)) {
          const before = start.bytes.slice();
          const [one, two] = [rng(seed), rng(seed)].map((draws) => mutator.make(start, on.cast, draws));
          expect(two).toEqual(one);
          expect(start.bytes).toEqual(before);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('together', () => {
  const attacks = attacksOn(stage.seeds, stage.cast);
  const tried = new Set(attacks.map(({ mutator, op }) => `${mutator.family} ${op.name}`));

  it.each(operations.filter(({ effect }) => effect !== 'session'))('they try $name', ({ name, ids }) => {
    const kinds = new Set(ids.filter(({ side }) => side === 'request').map(({ kind }) => kind));
    if (kinds.has('node')) expect(tried).toContain(`nodeid ${name}`);
    if (kinds.has('handle')) expect(tried).toContain(`fh ${name}`);
  });

  test('each has something to try', () => {
    const used = new Set<Mutator>(attacks.map(({ mutator }) => mutator));
    expect(mutators.filter((mutator) => !used.has(mutator)).map(({ name }) => name)).toEqual([]);
  });
});
