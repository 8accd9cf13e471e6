/** What parsers of bytes that nobody vouches for may do besides giving a value. */

import { RelightError } from '#relight/base/error.js';

/** What `read` gives; `undefined` when it throws a RelightError. Anything else that it throws is a find. */
export const unlessRefused = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (error instanceof RelightError) return undefined;
    throw error;
  }
};

/** Throws when something that has to hold does not. */
export const claim = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(`broken: ${what}`);
};

/** Whether two arrays hold the same bytes. */
export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
