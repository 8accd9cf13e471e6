import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayContain, NodeSet } from '#relight/trace/node-set.js';
import { Quantiles } from '#relight/trace/quantiles.js';

const setOf = (nodes: Iterable<bigint>): Uint8Array => {
  const set = new NodeSet();
  for (const node of nodes) set.add(Number(node & 0xffff_ffffn), Number(node >> 32n));
  return set.take();
};

describe('the set of nodeids of a block', () => {
  it('has every nodeid that went in', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })), (nodes) => {
        const set = setOf(nodes);
        return nodes.every((node) => mayContain(set, node));
      }),
    );
  });

  it('excludes most others, in about a byte for each', () => {
    const set = setOf(Array.from({ length: 1000 }, (_, i) => 0x5555_0000_0000n + BigInt(i) * 96n));
    expect(set.length).toBeLessThanOrEqual(1024);
    const wrong = Array.from({ length: 10_000 }, (_, i) => BigInt(i)).filter((node) => mayContain(set, node));
    expect(wrong.length).toBeLessThan(400);
  });

  // The numbers come from the rule of the schema, worked out in another language.
  it('is as the schema says, for those who read it in another language', () => {
    expect(setOf([])).toHaveLength(0);
    expect([...setOf([1n])]).toEqual([0x69]);
    expect([...setOf([0x7f00_1234_5678n, 2n])]).toEqual([0xe0, 0xf1]);
  });

  it('is ready for the next block after it was taken, and excludes nothing when there are too many', () => {
    const set = new NodeSet();
    for (let i = 0; i < 20_000; i++) set.add(i, 7);
    expect(mayContain(set.take(), 3n)).toBe(true);
    set.add(5, 0);
    const next = set.take();
    expect(next).toHaveLength(1);
    expect(mayContain(next, 5n)).toBe(true);
    expect(set.take()).toHaveLength(0);
  });
});

describe('quantiles', () => {
  it('are at most two percent above the exact ones, and never below', () => {
    const numbers = fc.array(fc.oneof(fc.nat(200), fc.nat(1_000_000), fc.maxSafeNat()), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(numbers, fc.constantFrom(0.5, 0.9, 0.99, 1), (values, share) => {
        const quantiles = new Quantiles();
        for (const value of values) quantiles.add(value);
        const exact = [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;
        const found = quantiles.at(share);
        return found >= exact && found <= exact * 1.02 + 1 && found <= quantiles.max;
      }),
    );
  });

  it('of nothing are 0, and a clock that steps back counts as 0', () => {
    const quantiles = new Quantiles();
    expect(quantiles.at(0.5)).toBe(0);
    quantiles.add(-5);
    expect([quantiles.at(1), quantiles.max, quantiles.count]).toEqual([0, 0, 1]);
  });
});
