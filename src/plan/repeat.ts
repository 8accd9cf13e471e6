/** Requests that have the unique of another one: a kernel sends them after NOTIFY_RESEND, a fuzzer whenever it likes. */

import { ownUnique } from '../protocol/id-uses.js';
import type { StepPatch } from './plan.js';

const OWN_UNIQUE_AT = 8;

/** The patch of a request that has the unique of another step. */
export const repeating = (step: number): StepPatch => ({
  kind: 'step',
  offset: OWN_UNIQUE_AT,
  use: ownUnique,
  step,
});

/** Whether a patch is about the request's own unique, and not about that of an INTERRUPT's target. */
export const isOwnUnique = ({ offset }: StepPatch): boolean => offset === OWN_UNIQUE_AT;
