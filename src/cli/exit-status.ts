/** The one place that decides how the process ends. */

import { RelightError } from '../base/error.js';

/** Exit statuses of the command line. */
export const ExitStatus = {
  /** As it should be. */
  ok: 0,
  /** A divergence or a finding. */
  found: 1,
  /** Wrong arguments, or a file that is not what the verb needs. */
  usage: 2,
  /** This machine or the server's command cannot do it, or the trace is not complete. */
  incapable: 3,
  /** A bug in relight. */
  bug: 70,
} as const;

/** One of the exit statuses. */
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** What an exception means. */
export const statusOf = (error: unknown): ExitStatus => {
  if (!(error instanceof RelightError)) return ExitStatus.bug;
  return error.code === 'usage' ? ExitStatus.usage : ExitStatus.incapable;
};
