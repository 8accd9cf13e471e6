/** How a process ended, in words. */

import type { ProcessExit } from './subreaper.js';

/** To follow the name of what ended. */
export const describeExit = (exit: Pick<ProcessExit, 'code' | 'signal'> | undefined): string =>
  exit?.signal !== undefined
    ? `was killed by ${exit.signal}`
    : `exited with status ${exit?.code ?? 'unknown'}`;
