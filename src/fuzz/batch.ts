/** Requests of many cases in one row, as they are sent. It knows neither servers nor numbers. */

import type { Case, CaseRequest } from './case.js';

/** Requests in the order of sending; a slot is the place of one. */
export interface Batch {
  readonly requests: readonly CaseRequest[];
  /** For each slot, the first slot of its case: what `repeats` counts from. */
  readonly first: Int32Array;
  /** For each slot, the index of its case; -1 for a request of nobody's. */
  readonly caseOf: Int32Array;
  /** For each case, its first slot. */
  readonly starts: Int32Array;
}

/** The cases one after the other, and then requests that belong to none. */
export const batchOf = (
  cases: readonly Pick<Case, 'requests'>[],
  more: readonly CaseRequest[] = [],
): Batch => {
  const requests: CaseRequest[] = [];
  for (const one of cases) for (const request of one.requests) requests.push(request);
  const first = new Int32Array(requests.length + more.length);
  const caseOf = new Int32Array(requests.length + more.length).fill(-1);
  const starts = new Int32Array(cases.length);
  let slot = 0;
  for (const [index, one] of cases.entries()) {
    const end = slot + one.requests.length;
    starts[index] = slot;
    first.fill(slot, slot, end);
    caseOf.fill(index, slot, end);
    slot = end;
  }
  for (; slot < first.length; slot++) first[slot] = slot;
  return { requests: more.length === 0 ? requests : [...requests, ...more], first, caseOf, starts };
};
