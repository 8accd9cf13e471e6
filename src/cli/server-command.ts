/** Which server is run: the command after `--`, or the one in a file, which is never run unasked. */

import { RelightError } from '../base/error.js';
import { commandText } from '../report/plain.js';

/** What a file says about its server. */
export interface Recorded {
  /** The file as people call it, such as `the trace`. */
  readonly name: string;
  readonly argv: readonly string[];
}

/**
 * The command after `--` when there is one; else the recorded one if it was asked for by `--recorded`, which is printed first.
 * Throws `usage` otherwise.
 */
export const serverCommand = (
  given: { readonly command: readonly string[]; readonly recorded: boolean },
  { name, argv }: Recorded,
): readonly string[] => {
  if (given.command.length > 0) return given.command;
  const shown = commandText(argv);
  if (!given.recorded)
    throw new RelightError('usage', `no server's command; ${name} was made with: ${shown}`, {
      remedy: 'give one after --, or use --recorded to run that one',
    });
  if (argv.length === 0)
    throw new RelightError('usage', `${name} has no server command`, { remedy: 'give one after --' });
  process.stderr.write(`running the recorded command: ${shown}\n`);
  return argv;
};
