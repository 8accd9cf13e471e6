/** `relight redact`: a copy of a trace that can be given away. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { RelightError } from '../../base/error.js';
import { bytesText, countedText } from '../../report/units.js';
import { openTrace } from '../../trace/reader.js';
import { redactTrace } from '../../trace/redact.js';
import { ExitStatus } from '../exit-status.js';
import { print, printJson } from '../output.js';
import { noteLosses } from '../trace-notes.js';
import { defineVerb } from '../verb.js';

/** A key from any file; `undefined` for a random one. */
const keyFrom = (path: string | undefined): Uint8Array | undefined => {
  if (path === undefined) return undefined;
  try {
    return createHash('sha256').update(readFileSync(path)).digest();
  } catch (cause) {
    throw new RelightError('usage', `cannot read the key ${path}`, { cause });
  }
};

const options = {
  output: {
    type: 'string',
    alias: 'o',
    describe: 'the copy; replaced when it exists',
    demandOption: true,
    requiresArg: true,
  },
  key: {
    type: 'string',
    describe: 'a file: with the same key the same names become the same (random without)',
    requiresArg: true,
  },
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

/** The verb. */
export const verb = defineVerb({
  name: 'redact',
  about:
    'Writes a copy of a trace in which names, paths, contents and attribute values are replaced by keyed hashes of the same length. What was equal stays equal; sizes, times, users and numbers stay as they are. The copy still replays where contents do not matter.',
  operands: ['TRACE'],
  command: 'none',
  options,
  examples: [['redact t.rlt -o public.rlt', 'for a bug report']],
  run: async ({ options: { output, key, json }, operands: [path = ''] }) => {
    const secret = keyFrom(key);
    const trace = openTrace(path);
    try {
      if (existsSync(output) && trace.parts.some((part) => realpathSync(part.path) === realpathSync(output)))
        throw new RelightError('usage', `${output} is the trace itself`, { remedy: 'name another file' });
      const { frames, fileBytes, failure } = redactTrace(trace, output, secret);
      if (failure !== undefined) throw new RelightError('environment', `cannot write ${output}: ${failure}`);
      if (json) printJson({ trace: path, output, frames, bytes: fileBytes });
      else print(`${output}: ${countedText(frames, 'frame')} redacted, ${bytesText(fileBytes)}`);
      noteLosses(trace);
    } finally {
      trace.close();
    }
    return ExitStatus.ok;
  },
});
