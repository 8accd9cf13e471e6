/** How much there is to a plan: what minimising makes less of. */

import type { Patch, Plan, Shift, Step } from '../../plan/plan.js';
import { isOwnUnique } from '../../plan/repeat.js';
import { lengthOf } from '../../protocol/header.js';
import type { Negotiated } from '../../protocol/negotiated.js';
import { numberAt, numberSites, stretchSites } from './step-sites.js';

/** What counts, the first first: steps, bytes, oddities (repeats, marks, lengths that lie), shifts, numbers. */
export type Weight = readonly (number | bigint)[];

const WORD = 1n << 64n;

/** How far a shift moves a number, in bits. */
const shiftBits = ({ add, flip }: Shift): number => {
  const distance = add < WORD / 2n ? add : WORD - add;
  return distance.toString(2).length + flip.toString(2).length + countOnes(flip);
};

const countOnes = (value: bigint): number => value.toString(2).split('1').length - 1;

const isShifted = (patch: Patch): patch is Patch & { readonly shift: Shift } => 'shift' in patch;

const oddities = ({ template, patches, resent }: Step): number =>
  patches.filter((patch) => patch.kind === 'step' && isOwnUnique(patch)).length +
  (resent ? 1 : 0) +
  (lengthOf(template) === template.length ? 0 : 1);

/** Sums by template: an edit makes a new one. */
const sums = new WeakMap<Uint8Array, bigint>();

/** Sum of all numbers and contents that are no ids. */
const sumOf = (step: Step, session: Negotiated): bigint => {
  const { template } = step;
  const known = sums.get(template);
  if (known !== undefined) return known;
  let contents = 0;
  for (const { start, end, unit } of stretchSites(step, session))
    if (unit === 1) for (let at = start; at < end; at++) contents += template[at] ?? 0;
  let sum = BigInt(contents);
  for (const site of numberSites(step, session)) sum += numberAt(template, site);
  sums.set(template, sum);
  return sum;
};

/** The weight of a plan. */
export const weigh = (plan: Plan): Weight => {
  let [bytes, odd, shifts, sum] = [0, 0, 0, 0n];
  for (const step of plan.steps) {
    bytes += step.template.length;
    odd += oddities(step);
    sum += sumOf(step, plan.negotiated);
    for (const { shift } of step.patches.filter(isShifted)) shifts += shiftBits(shift);
  }
  return [plan.steps.length, bytes, odd, shifts, sum];
};

/** Whether a weight is less than another. */
export const isLess = (one: Weight, other: Weight): boolean => {
  const first = one.findIndex((value, at) => value !== other[at]);
  return first >= 0 && (one[first] ?? 0) < (other[first] ?? 0);
};
