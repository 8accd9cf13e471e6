/** `relight doctor`: what this machine can do. */

import { doctorLines } from '../../report/doctor.js';
import { examine } from '../doctor/examine.js';
import { ExitStatus } from '../exit-status.js';
import { print, printJson } from '../output.js';
import { paintFor } from '../terminal.js';
import { defineVerb } from '../verb.js';

/** The verb. */
export const verb = defineVerb({
  name: 'doctor',
  about:
    'Says what this machine lets relight do, what each thing that is missing costs, and how to mend it. Mounts an empty file system on a temporary directory for a moment, and starts a server of its own. Exit status 3 when nothing can be recorded here.',
  operands: [],
  command: 'none',
  options: { json: { type: 'boolean', describe: 'print one JSON document', default: false } },
  examples: [['doctor', 'before the first recording, and in bug reports']],
  run: async ({ options }) => {
    const examination = await examine();
    if (options.json) printJson(examination);
    else print(...doctorLines(examination, paintFor(process.stdout)));
    return examination.canRecord ? ExitStatus.ok : ExitStatus.incapable;
  },
});
