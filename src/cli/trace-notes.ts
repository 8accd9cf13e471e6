/** What a user should know of a trace that is not whole: on standard error, beside whatever the verb prints. */

import { damageLines } from '../report/damage.js';
import { plain } from '../report/plain.js';
import { partPath } from '../trace/part-path.js';
import type { Trace } from '../trace/reader.js';

const note = (text: string): void => {
  process.stderr.write(`relight: ${text}\n`);
};

const noteLossesOf = ({ path, hasIndex, damage, ending }: Trace): void => {
  if (!hasIndex) note(`${path} has no index, its recorder was killed; relight repair ${path} writes one`);
  for (const line of damageLines(damage)) note(`${path}: ${line}`);
  if (ending !== undefined && ending.failure !== '')
    note(`${path} is not complete: recording stopped with ${plain(ending.failure)}`);
};

/** A later part was asked for alone; after the first one, the next would have been read as well. */
const noteMissingPart = ({ path, header: { part }, parts, ending }: Trace): void => {
  if (ending?.continued !== true) return;
  if (part > 0)
    note(`${path} is part ${part} of a trace that goes on; all of it is read from its first file on`);
  else note(`${path} goes on in ${partPath(path, parts.length)}, which is missing or of another recording`);
};

/** Says what is missing of a trace, after it was read. */
export const noteLosses = (trace: Trace): void => {
  for (const part of trace.parts) noteLossesOf(part);
  noteMissingPart(trace);
};
