/** Plans with other bytes in some requests. It does not know what the bytes mean, nor why anybody wants others. */

import { UNIQUE_RESEND } from '../protocol/flags.js';
import { lengthOf, plainUnique, setUnique, uniqueOf } from '../protocol/header.js';
import { putU64At } from '../protocol/raw.js';
import type { Patch, Plan, Shift, Step } from './plan.js';
import { shifted } from './shift.js';
import { keepSteps, stepData } from './subset.js';

const ID_BYTES = 8;

/**
 * The plan with other steps in the place of those of the same index. They must have the same mints and the same unique,
 * unless no step refers to it. Symbols go that no step names any more.
 */
export const withSteps = (plan: Plan, changed: Iterable<Step>): Plan => {
  const steps = [...plan.steps];
  for (const step of changed) steps[step.index] = step;
  return keepSteps({ ...plan, steps }, steps.keys());
};

/** The step with a number of `size` bytes at an offset, modulo what fits. */
export const withNumber = (step: Step, offset: number, size: number, value: bigint): Step => {
  const template = step.template.slice();
  for (let at = 0; at < size && offset + at < template.length; at++)
    template[offset + at] = Number((value >> BigInt(8 * at)) & 0xffn);
  return { ...stepData(step), template };
};

/** The step with zeroes from one byte up to another. */
export const withZeroes = (step: Step, from: number, to: number): Step => {
  const template = step.template.slice();
  template.fill(0, from, to);
  return { ...stepData(step), template };
};

/** The step without the bytes from one up to another. A length in its header that was right is right again; ids go with their bytes. */
export const withoutBytes = (step: Step, from: number, to: number): Step => {
  const { template } = step;
  const shorter = new Uint8Array(template.length - (to - from));
  shorter.set(template.subarray(0, from));
  shorter.set(template.subarray(to), from);
  const cut: Step = {
    ...stepData(step),
    template: shorter,
    templateKept: Math.min(step.templateKept, shorter.length),
    patches: step.patches.flatMap((patch) => movedPatch(patch, from, to)),
  };
  const isTrue = lengthOf(template) === template.length;
  return isTrue ? withNumber(cut, 0, 4, BigInt(shorter.length)) : cut;
};

const movedPatch = (patch: Patch, from: number, to: number): Patch[] => {
  if (patch.offset >= to) return [{ ...patch, offset: patch.offset - (to - from) }];
  return patch.offset + ID_BYTES <= from ? [patch] : [];
};

/** The step with another shift in the patch at an offset; `recorded` is the number of its symbol. */
export const withShift = (step: Step, offset: number, shift: Shift, recorded: bigint): Step => {
  const template = step.template.slice();
  putU64At(template, offset, shifted(recorded, shift));
  const patches = step.patches.map((patch) => (patch.offset === offset ? { ...patch, shift } : patch));
  return { ...stepData(step), template, patches };
};

/** The step without the mark that it was sent before. */
export const withoutMark = (step: Step): Step => {
  const template = step.template.slice();
  setUnique(template, uniqueOf(template) & ~UNIQUE_RESEND);
  return { ...stepData(step), template, resent: false };
};

/** The step with a unique that no other step of the plan has, in the place of the one that it repeats. */
export const withOwnUnique = (step: Step, plan: Plan): Step => {
  let most = 0n;
  for (const { template } of plan.steps) {
    const unique = plainUnique(uniqueOf(template));
    if (unique > most) most = unique;
  }
  const template = step.template.slice();
  setUnique(template, (most + 2n * BigInt(step.index + 1)) | (step.resent ? UNIQUE_RESEND : 0n));
  return { ...stepData(step), template, patches: step.patches.filter(({ kind }) => kind === 'symbol') };
};
