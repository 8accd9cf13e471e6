/** The options of verbs that run a server to be fuzzed, and the orders that they give. */

import { RelightError } from '../base/error.js';
import type { StageOrders } from '../fuzz/stage.js';
import { sandboxFrom, sandboxOptions } from './sandbox-option.js';
import { millisecondsFrom } from './values.js';
import type { Given } from './verb.js';

/** The options. */
export const testServerOptions = {
  recorded: { type: 'boolean', describe: "run the file's own server command", default: false },
  snapshot: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: "the server's store, put back for each life; again for more",
  },
  ...sandboxOptions,
  checker: {
    choices: ['none', 'valgrind'],
    describe: 'run the server under a checker',
    default: 'none',
    requiresArg: true,
  },
  timeout: { type: 'string', describe: 'seconds for a reply', default: '2', requiresArg: true },
  'start-timeout': { type: 'string', describe: 'seconds for a start', default: '30', requiresArg: true },
} as const;

/** How the server is put on stage, as told by the options. `command` as it was chosen, `cwd` of the file that it is from. */
export const serverOrders = (
  given: Given<typeof testServerOptions>['options'],
  server: {
    readonly command: readonly string[];
    readonly cwd: string | undefined;
    readonly env?: Readonly<Record<string, string>>;
    /** Where the file names a store and the options do not. */
    readonly snapshot?: readonly string[];
  },
): Omit<StageOrders, 'depth'> => {
  const { command, cwd, env = {} } = server;
  const snapshot = given.snapshot ?? server.snapshot ?? [];
  const replyTimeoutMs = millisecondsFrom('--timeout', given.timeout);
  if (replyTimeoutMs === 0)
    throw new RelightError('usage', '--timeout must be more than 0', { remedy: 'for example 2' });
  return {
    ...{ command, cwd, snapshot, replyTimeoutMs },
    env: Object.keys(env).length === 0 ? undefined : { ...plainEnv(), ...env },
    sandbox: sandboxFrom(given, { command, cwd, snapshot }),
    checker: given.checker === 'valgrind' ? 'valgrind' : undefined,
    startTimeoutMs: millisecondsFrom('--start-timeout', given['start-timeout']),
  };
};

const plainEnv = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
