/** `relight stats`: figures of a trace. */

import { statsOf } from '../../report/stats.js';
import { statsLines } from '../../report/stats-text.js';
import { traceHeadLines } from '../../report/trace-head.js';
import { matches } from '../../trace/filter-match.js';
import { openTrace } from '../../trace/reader.js';
import { ExitStatus } from '../exit-status.js';
import { filterFrom, filterOption } from '../filter-option.js';
import { print, printJson } from '../output.js';
import { Progress } from '../progress.js';
import { paintFor } from '../terminal.js';
import { noteLosses } from '../trace-notes.js';
import { defineVerb } from '../verb.js';

/** The verb. */
export const verb = defineVerb({
  name: 'stats',
  about:
    'Counts and latencies of a trace by operation, and what kind of numbers the server uses as nodeids and file handles, with the evidence: an id that lies in the memory of its server is a pointer, and will be a wild one after a restart.',
  operands: ['TRACE'],
  command: 'none',
  options: {
    filter: filterOption,
    json: { type: 'boolean', describe: 'print one JSON document', default: false },
  },
  examples: [
    ['stats t.rlt', 'all of a trace'],
    ["stats t.rlt -f 'time < 10s' --json", 'its first ten seconds, for other programs'],
  ],
  run: async ({ options, operands: [path = ''] }) => {
    const filter = filterFrom(options.filter);
    const trace = openTrace(path);
    const progress = new Progress(trace.frameCount, 'frames');
    try {
      const stats = statsOf(trace, (frame) => {
        progress.step();
        return filter === undefined || matches(filter, frame, trace.header.startTimeNs);
      });
      progress.end();
      if (options.json) printJson(stats);
      else print(...traceHeadLines(trace), '', ...statsLines(stats, paintFor(process.stdout)));
      noteLosses(trace);
    } finally {
      progress.end();
      trace.close();
    }
    return ExitStatus.ok;
  },
});
