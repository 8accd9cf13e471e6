/** Text as a filter: it is refused with its place, or judges every frame of a recording, and no block is skipped that has some. */

import { join } from 'node:path';
import type { BlockInfo } from '#relight/trace/block-head.js';
import { type DecodedFrame, decodedFrames } from '#relight/trace/decoded-frames.js';
import { isFilterError, parseFilter } from '#relight/trace/filter.js';
import { matches, mayHold } from '#relight/trace/filter-match.js';
import { openTrace } from '#relight/trace/reader.js';
import { claim } from './expecting.js';

const trace = openTrace(join(process.env['RELIGHT_CORPORA'] ?? 'corpora', 'bindfs.rlt'));
const { startTimeNs } = trace.header;
const frames = [...decodedFrames(trace)];

/** Some frames of each block. */
const sample = trace.blocks.map((block): [BlockInfo, readonly DecodedFrame[]] => [
  block,
  frames.filter(({ frame }) => frame.seq >= block.firstSeq && frame.seq < block.firstSeq + 50),
]);

/** The filter in UTF-8. */
export const fuzz = async (input: Uint8Array): Promise<void> => {
  const text = Buffer.from(input).toString();
  const filter = parseFilter(text);
  if (isFilterError(filter)) {
    claim(filter.position >= 0 && filter.position <= text.length, 'an error is within the filter');
    return;
  }
  for (const [block, some] of sample) {
    const found = some.filter((frame) => matches(filter, frame, startTimeNs));
    claim(found.length === 0 || mayHold(filter, block, startTimeNs), 'a block with matches is read');
  }
};
