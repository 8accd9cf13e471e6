/** `relight minimise`: makes a finding smaller. */

import { readFinding, writeFinding } from '../../fuzz/finding-file.js';
import { smaller } from '../../fuzz/rerun.js';
import { smallerDocument, smallerLines } from '../../report/rerun.js';
import { countedText } from '../../report/units.js';
import { ExitStatus } from '../exit-status.js';
import { withFindingServer } from '../finding-server.js';
import { print, printJson } from '../output.js';
import { StatusLine } from '../status-line.js';
import { paintFor } from '../terminal.js';
import { testServerOptions } from '../test-server-options.js';
import { positiveFrom } from '../values.js';
import { defineVerb } from '../verb.js';

/** Runs that tell how reliable a finding is, as in a campaign. */
const RUNS = 5;

/** The verb. */
export const verb = defineVerb({
  name: 'minimise',
  about:
    'Makes a finding smaller: fewer requests, then simpler values, as long as it shows. Writes the smallest that was seen, with how often it showed. Exit status 1 when the finding does not show at all, and nothing is written then.',
  operands: ['FINDING'],
  command: 'optional',
  options: {
    output: {
      type: 'string',
      alias: 'o',
      describe: 'the smaller finding; replaced when it exists',
      demandOption: true,
      requiresArg: true,
    },
    budget: { type: 'string', describe: 'runs to try smaller ones', default: '500', requiresArg: true },
    ...testServerOptions,
    json: { type: 'boolean', describe: 'print one JSON document', default: false },
  },
  examples: [
    ['minimise findings/0123456789abcdef.rlf --recorded -o small.rlf', 'on the server that it was found in'],
  ],
  run: async ({ options, operands: [path = ''], command }) => {
    const finding = readFinding(path);
    const budget = positiveFrom('--budget', options.budget);
    const line = new StatusLine(true);
    const result = await withFindingServer({ options, command }, finding, (trial) =>
      smaller(finding, (plan, environment) => trial.run(plan, environment), {
        budget,
        runs: RUNS,
        onProgress: ({ attempts, steps }) =>
          line.show(`${countedText(attempts, 'run')} of ${budget} at most, ${countedText(steps, 'step')}`),
      }),
    ).finally(() => line.end());
    if (result.kind !== 'gone') writeFinding(options.output, result.finding);
    if (options.json) printJson(smallerDocument(finding, options.output, result));
    else print(...smallerLines(finding, options.output, result, paintFor(process.stdout)));
    return result.kind === 'gone' ? ExitStatus.found : ExitStatus.ok;
  },
});
