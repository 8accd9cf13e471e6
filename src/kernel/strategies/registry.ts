/** The strategies by name, and the names of those whose turn is still to come. */

import { RelightError } from '../../base/error.js';
import { incEpoch } from './inc-epoch.js';
import { lazy } from './lazy.js';
import { markBad, markBadQuiet } from './mark-bad.js';
import { resend } from './resend.js';
import { revalidateGetattr } from './revalidate-getattr.js';
import { revalidateLookup } from './revalidate-lookup.js';
import type { Strategy } from './strategy.js';
import { trust } from './trust.js';

/** Every strategy that can be run, in the order of reports: from believing everything to believing nothing. */
export const strategies: readonly Strategy[] = [
  trust,
  resend,
  revalidateGetattr,
  revalidateLookup,
  incEpoch,
  lazy,
  markBad,
  markBadQuiet,
];

/** Nodes found again by file handle need operations that no released kernel has (LOOKUP_HANDLE patches v1 to v3). */
const notBuilt = ['handle-v1', 'handle-v3'];

/** The strategy of a name; RelightError `usage` for an unknown one and for those that are not built. */
export const strategyNamed = (name: string): Strategy => {
  const found = strategies.find((strategy) => strategy.name === name);
  if (found !== undefined) return found;
  const built = strategies.map((strategy) => strategy.name).join(', ');
  const what = notBuilt.includes(name) ? `strategy ${name} is not built` : `there is no strategy ${name}`;
  throw new RelightError('usage', what, { remedy: `use one of ${built}` });
};
