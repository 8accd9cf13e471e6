/**
 * On which processors our thread and a server run. Left alone, the scheduler settles for one of the two by chance, and one
 * message at a time is several times faster where nobody has to wake another processor.
 */

import { affinity, setAffinity } from '#relight/transport/libc.js';
import type { MeasuredServer } from './servers.js';

/** A processor each, or one for both. */
export type Placement = 'apart' | 'together';

/** Runs `work` with our thread and the server in their places; afterwards our thread may run anywhere again. */
export const placed = async <T>(
  placement: Placement,
  server: MeasuredServer,
  work: (server: MeasuredServer) => Promise<T>,
): Promise<T> => {
  const cpus = affinity(0);
  const [theirs = 0] = cpus;
  const ours = placement === 'together' ? theirs : (cpus.at(-1) ?? theirs);
  setAffinity(0, [ours]);
  try {
    return await work({ ...server, command: ['taskset', '-c', String(theirs), ...server.command] });
  } finally {
    setAffinity(0, cpus);
  }
};
