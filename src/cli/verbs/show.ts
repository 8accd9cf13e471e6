/** `relight show`: the frames of a trace, one line each. */

import { isFindingFile, readFinding } from '../../fuzz/finding-file.js';
import { findingLines } from '../../report/finding.js';
import { findingDocument } from '../../report/findings-json.js';
import { frameJson } from '../../report/frame-json.js';
import { frameLine, type LineStyle } from '../../report/frame-line.js';
import { countedText } from '../../report/units.js';
import { type DecodedFrame, decodedFrames } from '../../trace/decoded-frames.js';
import type { Filter } from '../../trace/filter.js';
import { matches, mayHold } from '../../trace/filter-match.js';
import { openTrace, type Trace } from '../../trace/reader.js';
import { ExitStatus } from '../exit-status.js';
import { filterFrom, filterOption } from '../filter-option.js';
import { Output, print, printJson } from '../output.js';
import { paintFor, widthOf } from '../terminal.js';
import { noteLosses } from '../trace-notes.js';
import { countFrom } from '../values.js';
import { defineVerb } from '../verb.js';

/** Frames that match, in order; blocks that cannot hold any are not read. */
function* wantedFrames(trace: Trace, filter: Filter | undefined): Generator<DecodedFrame> {
  if (filter === undefined) return yield* decodedFrames(trace);
  const { startTimeNs } = trace.header;
  const blocks = decodedFrames(trace, { blocks: (block) => mayHold(filter, block, startTimeNs) });
  for (const frame of blocks) if (matches(filter, frame, startTimeNs)) yield frame;
}

/** Turns frames into lines; without a filter, a gap in their numbers is a loss, and says so. */
const textLines = (style: LineStyle, showsGaps: boolean) => {
  let next: number | undefined;
  return (decoded: DecodedFrame): string[] => {
    const lost = next === undefined ? 0 : decoded.frame.seq - next;
    next = decoded.frame.seq + 1;
    const gap =
      showsGaps && lost > 0 ? [style.paint.red(`       ${countedText(lost, 'frame')} lost here`)] : [];
    return [...gap, frameLine(decoded, style)];
  };
};

const showFinding = (path: string, isJson: boolean): ExitStatus => {
  const finding = readFinding(path);
  if (isJson) printJson(findingDocument(finding, path));
  else print(...findingLines(finding, path, paintFor(process.stdout)));
  return ExitStatus.ok;
};

/** The verb. */
export const verb = defineVerb({
  name: 'show',
  about:
    'Prints the frames of a trace, one line each: number, seconds since the start, direction (→ to the server), latency of a reply, and what it says. On a terminal lines are cut at its width unless --wide. Of a finding it prints a report: what was done, what the server did, why it matters.',
  operands: ['TRACE'],
  command: 'none',
  options: {
    filter: filterOption,
    limit: { type: 'string', alias: 'n', describe: 'stop after so many frames', requiresArg: true },
    wide: { type: 'boolean', alias: 'W', describe: 'whole lines, however long', default: false },
    json: { type: 'boolean', describe: 'one JSON object a line (NDJSON)', default: false },
  },
  examples: [
    ["show t.rlt --filter 'op==READ && error==0' | head", 'the first reads that worked'],
    ["show t.rlt -f 'latency > 10ms'", 'slow replies'],
    ['show findings/0123456789abcdef.rlf', 'a finding, in words for a bug report'],
    ['show t.rlt -f \'op==LOOKUP && name=="a"\' --json', 'for other programs'],
  ],
  run: async ({ options, operands: [path = ''] }) => {
    const filter = filterFrom(options.filter);
    const limit =
      options.limit === undefined ? Number.POSITIVE_INFINITY : countFrom('--limit', options.limit);
    if (isFindingFile(path)) return showFinding(path, options.json);
    const trace = openTrace(path);
    const style: LineStyle = {
      startTimeNs: trace.header.startTimeNs,
      width: options.wide ? undefined : widthOf(process.stdout),
      paint: paintFor(process.stdout),
    };
    const lines = textLines(style, filter === undefined);
    const output = new Output();
    let shown = 0;
    try {
      for (const frame of wantedFrames(trace, filter)) {
        if (shown++ >= limit) break;
        if (options.json) output.line(JSON.stringify(frameJson(frame)));
        else for (const line of lines(frame)) output.line(line);
      }
      output.flush();
      noteLosses(trace);
    } finally {
      trace.close();
    }
    return ExitStatus.ok;
  },
});
