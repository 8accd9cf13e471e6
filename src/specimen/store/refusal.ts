/** How the file system says no: a value with the error number that goes into the reply, never an exception. */

import { Errno, type ErrnoName } from '../../base/errno.js';

/** A refused operation; `errno` is positive (`Errno.ENOENT`). */
export interface Refusal {
  readonly errno: number;
}

const refusals = new Map<ErrnoName, Refusal>();

/** The refusal with the named error; the same object each time, since refusals are frequent in a lookup storm. */
export const refuse = (name: ErrnoName): Refusal => {
  const known = refusals.get(name);
  if (known !== undefined) return known;
  const made = { errno: Errno[name] };
  refusals.set(name, made);
  return made;
};

/** Whether a result is a refusal. */
export const isRefusal = (result: unknown): result is Refusal =>
  typeof result === 'object' && result !== null && 'errno' in result;
