/** Limits for a server that is going to be driven into the ground. */

import { writeFileSync } from 'node:fs';
import { limitResource } from './libc.js';

const RLIMIT_CORE = 4;
/** Too small for a file, and the one number for which no handler of core files is run either (do_coredump, fs/coredump.c). */
const NO_CORE = 1;
/** Of /proc/PID/oom_score_adj. */
const FIRST_TO_GO = '1000';

/**
 * Makes a process, and what it will start, leave no core file and be the first to go when memory runs out. File sizes and
 * address space are not limited: that would end servers which do nothing wrong (SIGXFSZ at a sparse file, what sanitizers
 * reserve).
 */
export const makeExpendable = (pid: number): void => {
  limitResource(pid, RLIMIT_CORE, NO_CORE);
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, FIRST_TO_GO);
  } catch {
    // It ended already, or /proc is read-only on this machine.
  }
};
