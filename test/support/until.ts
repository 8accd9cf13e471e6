/** Waiting for something that another process does. */

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again every few milliseconds until the answer is neither `undefined` nor `false`, and returns it.
 * @throws Error that names what was waited for when `limitMs` have passed
 */
export const until = async <T>(
  what: string,
  ask: () => T | undefined | false,
  limitMs = 10_000,
): Promise<T> => {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const answer = ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await sleep(20);
  }
};
