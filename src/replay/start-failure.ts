/** Why a server did not come up, in words. It restarts nothing. */

import { errnoName } from '../base/errno.js';
import type { Disconnected } from '../kernel/conversation.js';
import { describeExit } from '../transport/exit-text.js';
import type { DriveEnd, Driver } from './driver.js';

/** Lines of standard error that are quoted. */
const QUOTED = 3;

const refusalText = ({ errno, refusal }: Disconnected): string =>
  errno > 0
    ? `answered INIT with ${errnoName(errno)}`
    : `answered INIT as no kernel takes it: ${refusal.reason} (${refusal.where})`;

/**
 * Ends what is left of a server whose start failed. Gives why it did, to follow its name, and the last lines that it wrote to
 * standard error.
 */
export const startFailure = async (
  driver: Driver,
  end: DriveEnd,
): Promise<{ readonly why: string; readonly said: readonly string[] }> => {
  const refused = driver.refusedInit;
  const exit = end.kind === 'died' && refused === undefined ? await driver.died() : undefined;
  await driver.stop('SIGKILL', 0);
  const said = (driver.stderr.at(-1) ?? []).slice(-QUOTED).map((line) => line.trim());
  if (refused !== undefined) return { why: refusalText(refused), said };
  const why =
    end.kind === 'died' ? `${describeExit(exit)} before it could answer INIT` : 'did not answer INIT in time';
  return { why, said };
};
