import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { minimise } from '#relight/fuzz/minimise.js';
import { Composer } from '#relight/plan/compose.js';
import type { Patch, Plan, Step } from '#relight/plan/plan.js';
import { readPlan } from '#relight/plan/text/read.js';
import { writePlan } from '#relight/plan/text/write.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import type { Fields } from '#relight/protocol/layout.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { type OperationName, operationNamed } from '#relight/protocol/operations.js';
import { mintsByField, patchesByField } from '../plan/by-field.js';
import { composedPlan } from '../plan/composed.js';
import { plain } from '../plan/plain.js';

const AMPLE = 2000;

const bytesIn = (plan: Plan): number =>
  [...plan.steps].reduce((sum, { template }) => sum + template.length, 0);

const textOf = (plan: Plan): string => [...writePlan(plan)].join('\n');

/** Fails for a share of all plans, whatever they hold. */
const chance = (share: number) => async (plan: Plan) =>
  (createHash('sha256').update(textOf(plan)).digest()[0] ?? 0) < share * 256;

/** Fails as long as the steps that were recorded under these numbers are there. */
const needs = (seqs: readonly number[]) => async (plan: Plan) =>
  seqs.every((seq) => [...plan.steps].some((step) => step.seq === seq));

const planAndSteps = composedPlan
  .filter(({ steps }) => steps.length > 0)
  .chain((plan) => {
    const seqs = [...plan.steps].map(({ seq }) => seq);
    return fc.tuple(
      fc.constant(plan),
      fc.subarray(seqs, { minLength: 1, maxLength: Math.min(2, seqs.length) }),
    );
  });

describe('minimising', () => {
  test('never grows, still fails, and keeps to its budget', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        composedPlan,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(60),
        async (plan, share, budget) => {
          const seen: Plan[] = [];
          const told: number[] = [];
          const fails = chance(share);
          const small = await minimise(
            plan,
            async (tried) => {
              seen.push(tried);
              return fails(tried);
            },
            { budget, onProgress: ({ attempts }) => told.push(attempts) },
          );
          expect(seen.length).toBeLessThanOrEqual(budget);
          expect(told).toEqual(seen.map((_, at) => at + 1));
          expect(small === plan || (await fails(small))).toBe(true);
          expect(new Set(seen.map(textOf)).size).toBe(seen.length);
          for (const one of [...seen, small]) {
            expect(one.steps.length).toBeLessThanOrEqual(plan.steps.length);
            expect(bytesIn(one)).toBeLessThanOrEqual(bytesIn(plan));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('gives the same plan for the same answers', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(composedPlan, async (plan) => {
        const options = { budget: 200 };
        const [one, other] = [
          await minimise(plan, chance(0.3), options),
          await minimise(plan, chance(0.3), options),
        ];
        expect(textOf(one)).toBe(textOf(other));
      }),
      { numRuns: 30 },
    );
  });

  test('leaves the one or two steps that it takes, and what they rely on', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(planAndSteps, async ([plan, seqs]) => {
        const small = await minimise(plan, needs(seqs), { budget: AMPLE });
        const left = [...small.steps];
        expect(left.map(({ seq }) => seq)).toEqual(expect.arrayContaining([...seqs]));
        // Whatever else is left mints or is repeated for them.
        for (const step of left)
          if (!seqs.includes(step.seq))
            expect(
              left.some(
                ({ index, patches }) => index > step.index && patches.some((patch) => isAbout(patch, step)),
              ),
            ).toBe(true);
        expect(plain(readPlan(writePlan(small), { name: 'small' }))).toEqual(plain(small));
      }),
      { numRuns: 60 },
    );
  });
});

const isAbout = (patch: Patch, { index, mints }: Step): boolean =>
  patch.kind === 'step' ? patch.step === index : mints.some(({ symbol }) => symbol === patch.symbol);

/** A life of lookups, and one with a wrong request among others. */
const campaign = (
  name: OperationName,
  fields: Fields,
  wrong: (patch: Patch) => Patch = (patch) => patch,
): Plan => {
  const composer = new Composer({ negotiated: newestNegotiated, init: undefined, initReply: undefined });
  const send = (
    incarnation: number,
    op: OperationName,
    asked: Fields,
    ids: Record<string, number>,
    minted?: number,
  ) => {
    const row = operationNamed(op);
    const bytes = encodeRequest(
      { name: op, header: { unique: 0n, uid: 1000, gid: 100, pid: 4242 }, fields: asked },
      newestNegotiated,
    );
    const patches = patchesByField(row, bytes, newestNegotiated, ids).map((patch) =>
      op === name && incarnation === 1 ? wrong(patch) : patch,
    );
    const mints = minted === undefined ? [] : mintsByField(row, { nodeid: minted });
    return composer.step({ incarnation, bytes, patches, mints });
  };
  const nodes = Array.from({ length: 40 }, (_, at) => composer.symbol({ kind: 'node', path: `/file${at}` }));
  for (const [at, node] of nodes.entries()) send(0, 'LOOKUP', { name: `file${at}` }, { nodeid: 0 }, node);
  for (const node of nodes) send(1, 'GETATTR', {}, { nodeid: node });
  send(1, name, fields, { nodeid: nodes[17] ?? 0 });
  return composer.plan();
};

const lastFields = (plan: Plan): Fields => {
  const last = plan.steps.at(plan.steps.length - 1);
  const decoded = decodeRequest(last?.template ?? new Uint8Array(0), plan.negotiated);
  return decoded.kind === 'request' ? (decoded.fields as Fields) : {};
};

describe('simpler values', () => {
  test('numbers go to zero, and what is needed to a boundary', async () => {
    const plan = campaign('READ', {
      fh: 77n,
      offset: 123_456n,
      size: 100_000,
      readFlags: 2,
      lockOwner: 5n,
      flags: 0o100002,
    });
    const calls: Plan[] = [];
    const small = await minimise(
      plan,
      async (one) => {
        calls.push(one);
        const { size, flags } = lastFields(one);
        return Number(size) > 5000 && (Number(flags) & 2) !== 0;
      },
      { budget: AMPLE },
    );
    expect([...small.steps].map(({ op }) => op?.name)).toEqual(['LOOKUP', 'READ']);
    expect(lastFields(small)).toMatchObject({
      fh: 0n,
      offset: 0n,
      size: 8192,
      readFlags: 0,
      lockOwner: 0n,
      flags: 2,
    });
    // What mints ids stays as it is: another name would be another object.
    expect([...plan.steps].map(({ template }) => template.length)).toContain(
      small.steps.at(0)?.template.length,
    );
    expect(small.symbols.length).toBe(2);
    expect(calls.length).toBeLessThan(40);
  });

  test('contents become shorter and empty, with the length that tells of them', async () => {
    const data = new Uint8Array(6000).fill(7);
    const plan = campaign('WRITE', { fh: 1n, size: data.length, data });
    const small = await minimise(
      plan,
      async (one) => {
        const { data: left } = lastFields(one);
        return left instanceof Uint8Array && left.length >= 3000;
      },
      { budget: AMPLE },
    );
    const { data: left, size } = lastFields(small);
    expect([left, size]).toEqual([new Uint8Array(4096), 4096]);
  });

  test('a length that lies stays only when it matters', async () => {
    const plan = campaign('MKDIR', { mode: 0o755, name: 'directory' });
    const last = plan.steps.at(plan.steps.length - 1);
    if (last === undefined) throw new Error('no step');
    new DataView(last.template.buffer).setUint32(0, 5000, true);
    const fails = (isNeeded: boolean) => async (one: Plan) => {
      const step = one.steps.at(one.steps.length - 1);
      return step?.op?.name === 'MKDIR' && (!isNeeded || step.template[1] === 5000 >> 8);
    };
    const [needed, free] = [
      await minimise(plan, fails(true), { budget: AMPLE }),
      await minimise(plan, fails(false), { budget: AMPLE }),
    ];
    expect(needed.steps.at(1)?.template.slice(0, 2)).toEqual(Uint8Array.of(5000 & 0xff, 5000 >> 8));
    expect(lastFields(free)).toMatchObject({ mode: 0, name: 'd' });
  });

  test('items of a list go from either end', async () => {
    const items = Array.from({ length: 100 }, (_, at) => ({ nodeid: 0n, nlookup: BigInt(at) }));
    const plan = campaign('BATCH_FORGET', { count: 100, items });
    const small = await minimise(
      plan,
      async (one) => {
        const { items: left } = lastFields(one);
        return Array.isArray(left) && left.some((item) => (item as Fields).nlookup === 33n);
      },
      { budget: AMPLE },
    );
    expect(lastFields(small)).toMatchObject({ count: 1, items: [{ nodeid: 0n, nlookup: 33n }] });
  });

  test('shifts come nearer and never to nothing', async () => {
    const shift = { add: BigInt.asUintN(64, -5000n), flip: 0b1100n };
    const plan = campaign('GETATTR', {}, (patch) => (patch.kind === 'symbol' ? { ...patch, shift } : patch));
    const small = await minimise(
      plan,
      async (one) => one.steps.at(one.steps.length - 1)?.op?.name === 'GETATTR',
      { budget: AMPLE },
    );
    const shifts = [...small.steps].flatMap(({ patches }) =>
      patches.map((patch) => patch.kind === 'symbol' && patch.shift),
    );
    expect([...small.steps].map(({ op }) => op?.name)).toEqual(['LOOKUP', 'GETATTR']);
    expect(shifts).toEqual([undefined, { add: (1n << 64n) - 1n, flip: 0n }]);
  });
});
