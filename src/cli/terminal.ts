/** What the terminal at a stream can show. */

import type { WriteStream } from 'node:tty';
import picocolors from 'picocolors';
import type { Paint } from '../report/paint.js';

/** Width for text that is not for a terminal, such as help in a file. */
const PAPER = 80;

/** Characters on a line; `undefined` where the stream is no terminal and lines need no limit. */
export const widthOf = (stream: WriteStream): number | undefined =>
  stream.isTTY === true ? (stream.columns ?? PAPER) : undefined;

/** Colours where the stream is a terminal that has them and NO_COLOR does not forbid it. */
export const paintFor = (stream: WriteStream): Paint => {
  const isForbidden = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return picocolors.createColors(stream.isTTY === true && !isForbidden);
};
