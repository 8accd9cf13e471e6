/** `relight repro`: runs a finding again on fresh servers. */

import { readFinding } from '../../fuzz/finding-file.js';
import { rerun } from '../../fuzz/rerun.js';
import { outcomeOf, rerunDocument, rerunLines } from '../../report/rerun.js';
import { ExitStatus } from '../exit-status.js';
import { withFindingServer } from '../finding-server.js';
import { print, printJson } from '../output.js';
import { StatusLine } from '../status-line.js';
import { paintFor } from '../terminal.js';
import { testServerOptions } from '../test-server-options.js';
import { positiveFrom } from '../values.js';
import { defineVerb } from '../verb.js';

/** The verb. */
export const verb = defineVerb({
  name: 'repro',
  about:
    'Runs a finding again: starts the server, has it hand out ids, kills it, starts it again in the same surroundings, and sends the requests that went wrong. Says in how many of the runs the finding showed, with what the server did. Exit status 0 when no run shows anything unsafe. Nothing in the file is run unless --recorded says so.',
  operands: ['FINDING'],
  command: 'optional',
  options: {
    runs: { type: 'string', describe: 'runs, each on fresh servers', default: '5', requiresArg: true },
    ...testServerOptions,
    json: { type: 'boolean', describe: 'print one JSON document', default: false },
  },
  examples: [
    ['repro findings/0123456789abcdef.rlf --recorded', 'on the server that it was found in'],
    ['repro findings/0123456789abcdef.rlf -- ./myfs-fixed {mnt}', 'has another build the same fault?'],
  ],
  run: async ({ options, operands: [path = ''], command }) => {
    const runs = positiveFrom('--runs', options.runs);
    const finding = readFinding(path);
    const line = new StatusLine(true);
    const onRun = ({ k, n }: { readonly k: number; readonly n: number }): void =>
      line.show(`run ${n} of ${runs}, seen in ${k}`);
    const result = await withFindingServer({ options, command }, finding, (trial) =>
      rerun(finding, (plan, environment) => trial.run(plan, environment), { runs, onRun }),
    ).finally(() => line.end());
    if (options.json) printJson(rerunDocument(finding, path, result));
    else print(...rerunLines(finding, result, paintFor(process.stdout)));
    return outcomeOf(result) === 'gone' ? ExitStatus.ok : ExitStatus.found;
  },
});
