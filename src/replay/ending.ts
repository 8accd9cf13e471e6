/** How a server ended that nobody asked to, as an outcome for the judge. */

import type { Outcome } from '../oracle/probe.js';
import type { Driver } from './driver.js';

/** Waits for the end of a server that closed its channel, and takes its last words. */
export const endingOf = async (driver: Driver): Promise<Extract<Outcome, { kind: 'ended' }>> => {
  const exit = await driver.died();
  const stderr = driver.stderr.at(-1) ?? [];
  const backTrace = exit?.backTrace ?? [];
  return { kind: 'ended', exit: { code: exit?.code, signal: exit?.signal, stderr, backTrace } };
};
