/** `relight repair`: writes the index that a killed recorder could not. */

import { damageLines, repairJson } from '../../report/damage.js';
import { countedText } from '../../report/units.js';
import { repairTrace } from '../../trace/repair.js';
import { ExitStatus } from '../exit-status.js';
import { print, printJson } from '../output.js';
import { defineVerb } from '../verb.js';

/** The verb. */
export const verb = defineVerb({
  name: 'repair',
  about:
    'Gives a trace whose recorder was killed, or whose end is damaged, its index. Nothing that can be read is lost; what cannot is named. A trace that is whole is left alone.',
  operands: ['TRACE'],
  command: 'none',
  options: { json: { type: 'boolean', describe: 'print one JSON document', default: false } },
  examples: [['repair t.rlt', 'mends t.rlt in place']],
  run: async ({ options, operands: [path = ''] }) => {
    const repair = repairTrace(path);
    if (options.json) printJson(repairJson(path, repair));
    else
      print(
        repair.isChanged ? `${path}: index written` : `${path}: nothing to mend`,
        `  ${countedText(repair.frames, 'frame')} can be read`,
        ...damageLines(repair.damage).map((line) => `  ${line}`),
      );
    return ExitStatus.ok;
  },
});
