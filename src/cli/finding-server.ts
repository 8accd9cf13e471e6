/** The server that a finding is run on again: chosen by the command line or the finding, and never run unasked. */

import { RelightError } from '../base/error.js';
import type { Finding } from '../fuzz/finding.js';
import { Trial, type TrialOrders } from '../fuzz/trial.js';
import { commandText } from '../report/plain.js';
import { serverCommand } from './server-command.js';
import { serverOrders, type testServerOptions } from './test-server-options.js';
import type { Given } from './verb.js';

/** What the command line says about the server. */
export type ServerChoice = Pick<Given<typeof testServerOptions>, 'options' | 'command'>;

/** The finding's own store is touched only together with its own command; like that one it is printed first. */
const snapshotOf = ({ options, command }: ServerChoice, { snapshot }: Finding): readonly string[] => {
  if (options.snapshot !== undefined || snapshot.length === 0) return options.snapshot ?? [];
  const shown = commandText(snapshot);
  if (command.length > 0)
    throw new RelightError('usage', `the finding needs a store; it was made on ${shown}`, {
      remedy: 'name yours by --snapshot; it is put back after each run',
    });
  process.stderr.write(`on the recorded store, which is put back after each run: ${shown}\n`);
  return snapshot;
};

const ordersFor = (choice: ServerChoice, finding: Finding): TrialOrders => {
  const { options, command } = choice;
  const { argv, cwd, env } = finding.command;
  const chosen = serverCommand({ command, recorded: options.recorded }, { name: 'the finding', argv });
  return serverOrders(options, {
    command: chosen,
    cwd: command.length > 0 ? undefined : cwd,
    env,
    snapshot: snapshotOf(choice, finding),
  });
};

/** Does something with the server of a finding. Throws a RelightError when it is not to be run, or cannot be. */
export const withFindingServer = async <T>(
  choice: ServerChoice,
  finding: Finding,
  use: (trial: Trial) => Promise<T>,
): Promise<T> => {
  const trial = await Trial.open(ordersFor(choice, finding));
  try {
    return await use(trial);
  } finally {
    await trial.close();
  }
};
