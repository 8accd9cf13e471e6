/** Simpler values in the requests of a plan: zero, fewer bits, smaller numbers, shorter and emptier contents, smaller shifts. */

import {
  withNumber,
  withOwnUnique,
  withoutBytes,
  withoutMark,
  withShift,
  withZeroes,
} from '../../plan/edit.js';
import type { Plan, Shift, Step } from '../../plan/plan.js';
import { isOwnUnique } from '../../plan/repeat.js';
import { lengthOf } from '../../protocol/header.js';
import type { Attempts } from './attempts.js';
import { type Edit, tryEach, tryTogether } from './edits.js';
import { type NumberSite, numberAt, numberSites, type StretchSite, stretchSites } from './step-sites.js';

/** Makes values simpler until none can be any more, or the attempts are over. Steps are neither added nor taken out. */
export const simplerValues = async (attempts: Attempts): Promise<void> => {
  const { negotiated } = attempts.plan;
  const sites: Sites = {
    numbers: (step) => numberSites(step, negotiated),
    stretches: (step) => stretchSites(step, negotiated),
  };
  await tryTogether(
    attempts,
    editsOf(attempts.plan, (step, plan) => plainer(step, plan, sites)),
  );
  await repeatedly(attempts, (step) =>
    sites
      .stretches(step)
      .reverse()
      .map((site) => shorter(step, site)),
  );
  await tryTogether(
    attempts,
    editsOf(attempts.plan, (step) => fewerBits(step, sites)),
  );
  await repeatedly(attempts, (step) => sites.numbers(step).map((site) => smaller(step, site)));
  await repeatedly(attempts, nearer);
};

interface Sites {
  readonly numbers: (step: Step) => NumberSite[];
  readonly stretches: (step: Step) => StretchSite[];
}

/** The steps from the last one on: that is where the fault is. What mints ids stays: it would not be the same object. */
const backwards = (plan: Plan): Step[] => [...plan.steps].filter(({ mints }) => mints.length === 0).reverse();

const editsOf = (plan: Plan, edits: (step: Step, plan: Plan) => Edit[]): Edit[] =>
  backwards(plan).flatMap((step) => edits(step, plan));

/** For each place of a step the edits among which one is to be chosen, those that change most first. */
type Alternatives = (step: Step, plan: Plan) => readonly (readonly Edit[])[];

/** Goes through the alternatives of all steps for as long as one of them stays. */
const repeatedly = async (attempts: Attempts, alternatives: Alternatives): Promise<void> => {
  for (let helps = true; helps && !attempts.areOver; ) {
    helps = false;
    for (const { index } of backwards(attempts.plan)) {
      const step = attempts.plan.steps.at(index);
      for (const edits of step === undefined ? [] : alternatives(step, attempts.plan))
        if (await tryEach(attempts, edits)) helps = true;
    }
  }
};

/** Everything that is not needed as it would be if nobody had touched it. */
const plainer = (step: Step, plan: Plan, { numbers, stretches }: Sites): Edit[] => {
  const { index, template, resent } = step;
  const edits: Edit[] = numbers(step).map(({ offset, size }) => ({
    index,
    change: (one) => withNumber(one, offset, size, 0n),
  }));
  for (const { start, end, unit, isName } of stretches(step))
    if (unit === 1 && !isName) edits.push({ index, change: (one) => withZeroes(one, start, end) });
  if (resent) edits.push({ index, change: withoutMark });
  if (isRepeatAlone(step, plan)) edits.push({ index, change: (one) => withOwnUnique(one, plan) });
  if (lengthOf(template) !== template.length)
    edits.push({ index, change: (one) => withNumber(one, 0, 4, BigInt(one.template.length)) });
  return edits;
};

/** Whether a step repeats the unique of another, and nothing else depends on it. */
const isRepeatAlone = ({ index, patches }: Step, plan: Plan): boolean => {
  const uniques = patches.filter((patch) => patch.kind === 'step');
  const [only, ...others] = uniques;
  if (only === undefined || others.length > 0 || !isOwnUnique(only)) return false;
  return ![...plan.steps].some((other) =>
    other.patches.some((patch) => patch.kind === 'step' && patch.step === index),
  );
};

/** The edits that clear one bit of a field of bits each. */
const fewerBits = (step: Step, { numbers }: Sites): Edit[] =>
  numbers(step)
    .filter(({ isBits }) => isBits)
    .flatMap((site) =>
      bitsOf(numberAt(step.template, site)).map((bit) => ({
        index: step.index,
        change: (one: Step) => withNumber(one, site.offset, site.size, numberAt(one.template, site) & ~bit),
      })),
    );

const bitsOf = (value: bigint): bigint[] =>
  Array.from({ length: 64 }, (_, at) => 1n << BigInt(at)).filter((bit) => (value & bit) !== 0n);

/** Smaller numbers than this one: the least, one of half as many bits, and the power of two below. */
const below = (value: bigint, least: bigint): bigint[] => {
  const bits = (value - 1n).toString(2).length - 1;
  const candidates = [least, 1n << BigInt(bits >> 1), 1n << BigInt(bits)];
  return [...new Set(candidates)].filter((candidate) => candidate >= least && candidate < value);
};

const smaller = ({ index, template }: Step, site: NumberSite): Edit[] =>
  below(numberAt(template, site), 1n).map((value) => ({
    index,
    change: (one) => withNumber(one, site.offset, site.size, value),
  }));

/** Fewer units of a stretch: the first ones, or else the last ones. */
const shorter = ({ index, template }: Step, site: StretchSite): Edit[] => {
  const { start, end, unit, least, count } = site;
  const units = (end - start) / unit;
  const isTold = count !== undefined && numberAt(template, count) === BigInt(units);
  const cut = (from: number, to: number, left: number): Edit => ({
    index,
    change: (one) => {
      const less = withoutBytes(one, from, to);
      return isTold ? withNumber(less, count.offset, count.size, BigInt(left)) : less;
    },
  });
  return below(BigInt(units), BigInt(least)).flatMap((big) => {
    const left = Number(big);
    return [cut(start + left * unit, end, left), cut(start, end - left * unit, left)];
  });
};

const HALF = 1n << 63n;

/** Shifts that go less far in the same direction; none that goes nowhere, which would be another fault. */
const nearer = ({ index, patches }: Step, plan: Plan): Edit[][] =>
  patches.flatMap((patch) => {
    if (patch.kind !== 'symbol' || patch.shift === undefined) return [];
    const { offset, symbol, shift } = patch;
    const recorded = plan.symbols.at(symbol)?.recorded ?? 0n;
    return [
      lessFar(shift).map((less) => ({
        index,
        change: (one) => withShift(one, offset, less, recorded),
      })),
    ];
  });

const lessFar = ({ add, flip }: Shift): Shift[] => {
  const isBack = add >= HALF;
  const distance = isBack ? (1n << 64n) - add : add;
  const signed = (far: bigint): bigint => BigInt.asUintN(64, isBack ? -far : far);
  const adds = distance === 0n ? [] : below(distance, 1n).map(signed);
  const flips = bitsOf(flip);
  return [
    ...(add === 0n || flip === 0n
      ? []
      : [
          { add, flip: 0n },
          { add: 0n, flip },
        ]),
    ...adds.map((less) => ({ add: less, flip })),
    ...(flips.length > 1 ? flips.map((bit) => ({ add, flip: bit })) : []),
  ];
};
