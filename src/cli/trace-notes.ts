/** What a user should know of a trace that is not whole: on standard error, beside whatever the verb prints. */

import { damageLines } from '../report/damage.js';
import { plain } from '../report/plain.js';
import type { Trace } from '../trace/reader.js';

const note = (text: string): void => {
  process.stderr.write(`relight: ${text}\n`);
};

/** Says what is missing of a trace, after it was read. */
export const noteLosses = (trace: Trace): void => {
  const { path, ending } = trace;
  if (!trace.hasIndex)
    note(`${path} has no index, its recorder was killed; relight repair ${path} writes one`);
  for (const line of damageLines(trace.damage)) note(`${path}: ${line}`);
  if (ending !== undefined && ending.failure !== '')
    note(`${path} is not complete: recording stopped with ${plain(ending.failure)}`);
};
