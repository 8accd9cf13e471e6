/** A session of a server without relight, for comparison and for stores that only their server can fill. */

import { join } from 'node:path';
import { asOrdinaryUser } from '../support/ordinary-user.js';
import { type Finished, runProgram } from '../support/program.js';
import { root } from '../support/root.js';

/** What to run; `{mnt}` in the command becomes a new folder. */
export interface BareSession {
  readonly command: readonly string[];
  /** Shell command that finds the mount in RELIGHT_MOUNT. */
  readonly workload: string;
  readonly asUser?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs?: number;
}

/** Mounts, runs the workload, unmounts; the status is the workload's, 3 when nothing was mounted. */
export const bareSession = ({ command, workload, asUser, env, limitMs }: BareSession): Promise<Finished> => {
  const argv = ['bash', join(root, 'test/servers/bare.sh'), workload, '--', ...command];
  return runProgram(asUser === true ? asOrdinaryUser(argv) : argv, { env, limitMs: limitMs ?? 120_000 });
};
