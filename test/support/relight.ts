/** The product as its users run it: `dist/cli/main.js` in a process of its own, under a time limit. */

import { asOrdinaryUser, type DeviceMode } from './ordinary-user.js';
import { type Finished, type ProgramOptions, type Running, startProgram } from './program.js';
import { relightMain } from './root.js';

/** As for any program; `asUser` takes privilege away. */
export interface RelightOptions extends ProgramOptions {
  readonly asUser?: boolean;
  /** The /dev/fuse that such a user finds. */
  readonly deviceMode?: DeviceMode;
}

/** Starts relight with these arguments. */
export const startRelight = (args: readonly string[], options: RelightOptions = {}): Running => {
  const argv = [process.execPath, relightMain, ...args];
  return startProgram(options.asUser === true ? asOrdinaryUser(argv, options.deviceMode) : argv, options);
};

/** Runs relight to its end; any exit status is a value. */
export const runRelight = (args: readonly string[], options: RelightOptions = {}): Promise<Finished> =>
  startRelight(args, options).finished;

/**
 * The one JSON document on standard output.
 * @throws Error with both outputs when there is anything else
 */
export const jsonOf = (finished: Finished): Record<string, unknown> => {
  try {
    return JSON.parse(finished.stdout);
  } catch (cause) {
    throw new Error(`not one JSON document:\n${finished.stdout}\n${finished.stderr}`, { cause });
  }
};
