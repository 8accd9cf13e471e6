/** Text as a plan: it is refused with its place, or becomes a plan whose text comes back as the same text. */

import { keepSteps } from '#relight/plan/subset.js';
import { readPlan } from '#relight/plan/text/read.js';
import { writePlan } from '#relight/plan/text/write.js';
import { claim, unlessRefused } from './expecting.js';

const textOf = (lines: Iterable<string>): string => [...lines].join('\n');

/** The text in UTF-8. */
export const fuzz = async (input: Uint8Array): Promise<void> => {
  const plan = unlessRefused(() => readPlan(Buffer.from(input).toString().split('\n'), { name: 'fuzzed' }));
  if (plan === undefined) return;
  const text = textOf(writePlan(plan));
  claim(textOf(writePlan(readPlan(text.split('\n'), { name: 'written' }))) === text, 'a plan has one text');
  const half = [...plan.steps].filter(({ index }) => index % 2 === 0).map(({ index }) => index);
  const less = textOf(writePlan(keepSteps(plan, half)));
  claim(
    textOf(writePlan(readPlan(less.split('\n'), { name: 'kept' }))) === less,
    'a part of a plan has one text',
  );
};
