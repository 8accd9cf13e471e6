import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Composer } from '#relight/plan/compose.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { keepSteps } from '#relight/plan/subset.js';
import { readPlan } from '#relight/plan/text/read.js';
import { writePlan } from '#relight/plan/text/write.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { conversation } from './arbitrary.js';
import { composedPlan } from './composed.js';
import { Conversation } from './conversation.js';
import { plain } from './plain.js';

const liftedPlan = conversation
  .filter(({ frames }) => frames.length > 0)
  .map((talk) => lift(talk.recording, { negotiated: talk.session }));

const anyPlan: fc.Arbitrary<Plan> = fc.oneof(composedPlan, liftedPlan);

const planAndSubset = anyPlan.chain((plan) =>
  fc.tuple(fc.constant(plan), fc.subarray([...plan.steps].map(({ index }) => index))),
);

/** What every plan promises. */
const expectWhole = ({ steps, symbols, resends, notices }: Plan): void => {
  const minted = new Set<number>();
  for (const [index, step] of [...steps].entries()) {
    expect(step.index).toBe(index);
    for (const patch of step.patches) {
      if (patch.kind === 'step') expect(patch.step ?? -1).toBeLessThan(index);
      else {
        const symbol = symbols.at(patch.symbol);
        expect(symbol).toBeDefined();
        // Plans made by hand may use a symbol before anything mints it.
        expect(minted.has(patch.symbol) || (symbol?.mintedBy ?? index) >= index).toBe(true);
      }
    }
    for (const { symbol } of step.mints) minted.add(symbol);
    expect(step.after).toEqual([...new Set(step.after)].sort((a, b) => a - b));
    expect(step.after.every((before) => before >= 0 && before < index)).toBe(true);
    if (step.answeredBefore !== undefined) {
      expect(step.answeredBefore).toBeGreaterThan(index);
      expect(step.answeredBefore).toBeLessThanOrEqual(steps.length);
    }
  }
  for (const [index, { id, node, mintedBy }] of [...symbols].entries()) {
    expect(id).toBe(index);
    if (node !== undefined) expect(symbols.at(node)?.kind).toBe('node');
    if (mintedBy !== undefined) expect(steps.at(mintedBy)?.mints.map(({ symbol }) => symbol)).toContain(id);
  }
  for (const { step } of resends) expect(steps.at(step)).toBeDefined();
  for (const { before } of notices) expect(before).toBeLessThanOrEqual(steps.length);
};

describe('keepSteps', () => {
  test('gives a plan again, in the same order', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(planAndSubset, ([plan, keep]) => {
        const less = keepSteps(plan, keep);
        expectWhole(less);
        expect(less.steps.length).toBeLessThanOrEqual(keep.length);
        expect(less.symbols.length).toBeLessThanOrEqual(plan.symbols.length);
        const templates = [...less.steps].map(({ template }) => template);
        const wanted = keep.map((index) => plan.steps.at(index)?.template);
        let at = -1;
        for (const template of templates) {
          at = wanted.findIndex((one, index) => index > at && one !== undefined && same(one, template));
          expect(at).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('changes nothing the second time, and has a text', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(planAndSubset, ([plan, keep]) => {
        const less = keepSteps(plan, keep);
        const all = [...less.steps].map(({ index }) => index);
        expect(plain(keepSteps(less, all))).toEqual(plain(less));
        expect(plain(readPlan(writePlan(less), { name: 'less' }))).toEqual(plain(less));
      }),
      { numRuns: 50 },
    );
  });

  test('orders what stood on both sides of a dropped step', () => {
    const talk = new Conversation();
    for (let round = 0; round < 3; round++)
      talk.exchange('SETATTR', 1n, { valid: 1, mode: 0o755 }, { attr: { mode: 0o40755 } });
    const plan = lift(talk.recording);
    expect([...plan.steps].map(({ after }) => after)).toEqual([[], [0], [1]]);
    expect([...keepSteps(plan, [0, 2]).steps].map(({ after }) => after)).toEqual([[], [0]]);
  });

  test('drops what relies on a dropped step', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.exchange('OPEN', 5n, {}, { fh: 7n });
    talk.exchange('READ', 5n, { fh: 7n, size: 10 }, { data: new Uint8Array(3) });
    talk.lookup(1n, 'b', { nodeid: 6n });
    const plan = lift(talk.recording);
    const less = keepSteps(plan, [1, 2, 3]);
    expect([...less.steps].map(({ op }) => op?.name)).toEqual(['LOOKUP']);
    expect([...less.symbols].map(({ path, mintedBy }) => [path, mintedBy])).toEqual([
      ['/', undefined],
      ['/b', 0],
    ]);
  });

  test('drops what stands before a later mint', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.exchange('GETATTR', 5n, {}, { attr: { size: 1n } });
    talk.lookup(1n, 'a', { nodeid: 5n });
    const less = keepSteps(lift(talk.recording), [1, 2]);
    expect([...less.steps].map(({ op }) => op?.name)).toEqual(['LOOKUP']);
  });

  test('takes a later mint for the first when the first is gone', () => {
    const talk = new Conversation();
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.lookup(1n, 'a', { nodeid: 5n });
    talk.exchange('GETATTR', 5n, {}, { attr: { size: 1n } });
    const less = keepSteps(lift(talk.recording), [1, 2]);
    expect(less.steps.length).toBe(2);
    expect(less.symbols.at(1)?.mintedBy).toBe(0);
  });

  test('of nothing leaves the root', () => {
    const composer = new Composer({ negotiated: newestNegotiated, init: undefined, initReply: undefined });
    composer.memory({ place: 'gap', incarnation: 0 });
    expect(keepSteps(composer.plan(), [3]).symbols.length).toBe(1);
  });
});

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
