/** `relight tour`: walks a server without a mount, and leaves a trace with ids that are still held. */

import type { TourOptions, TourResult } from '../../replay/tour/options.js';
import { tour } from '../../replay/tour.js';
import { tourJson, tourLines } from '../../report/tour.js';
import { ExitStatus } from '../exit-status.js';
import { withInterrupts } from '../interrupts.js';
import { print, printJson } from '../output.js';
import { countFrom, millisecondsFrom } from '../values.js';
import { defineVerb, type Given } from '../verb.js';

const options = {
  output: {
    type: 'string',
    alias: 'o',
    describe: 'the trace; replaced when it exists',
    demandOption: true,
    requiresArg: true,
  },
  write: {
    type: 'boolean',
    describe: 'also create, write, rename and remove, in a directory of its own',
    default: false,
  },
  remove: { type: 'boolean', describe: 'with --write: remove that directory at the end', default: false },
  limit: { type: 'string', describe: 'directory entries to look at at most', requiresArg: true },
  seed: { type: 'string', describe: 'seed of everything random', default: '1', requiresArg: true },
  aslr: {
    choices: ['on', 'off'],
    describe: 'address randomisation of the server',
    default: 'on',
    requiresArg: true,
  },
  timeout: { type: 'string', describe: 'seconds for a reply', default: '10', requiresArg: true },
  'start-timeout': { type: 'string', describe: 'seconds for the start', default: '30', requiresArg: true },
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

const tourOptions = (
  { options: given, command }: Given<typeof options>,
  signal: AbortSignal,
): TourOptions => ({
  trace: given.output,
  command,
  aslr: given.aslr,
  seed: countFrom('--seed', given.seed),
  writing: given.write ? (given.remove ? 'remove' : 'keep') : 'none',
  ...(given.limit === undefined ? {} : { limits: { entries: countFrom('--limit', given.limit) } }),
  replyTimeoutMs: millisecondsFrom('--timeout', given.timeout),
  startTimeoutMs: millisecondsFrom('--start-timeout', given['start-timeout']),
  signal,
  onStderr: (chunk) => process.stderr.write(chunk),
});

const statusOf = ({ ending, status }: TourResult): ExitStatus => {
  if (status.failure !== undefined) return ExitStatus.incapable;
  return ending === 'died' || ending === 'hang' ? ExitStatus.found : ExitStatus.ok;
};

/** The verb. */
export const verb = defineVerb({
  name: 'tour',
  about:
    'Plays the kernel towards a server, without a mount and without root: walks its file system, reads, opens and holds, and writes what crossed the channel to a trace. What it still holds at the end is what a restart makes stale.',
  operands: [],
  command: 'needed',
  options,
  examples: [
    ['tour -o t.rlt -- bindfs -f /data {mnt}', 'looks at everything, changes nothing'],
    ['tour -o t.rlt --write -- bindfs -f /copy {mnt}', 'also makes changes, in a new directory'],
  ],
  run: async (given) => {
    const stop = new AbortController();
    const result = await withInterrupts(
      () => stop.abort(),
      () => tour(tourOptions(given, stop.signal)),
    );
    if (given.options.json) printJson(tourJson(given.options.output, result));
    else print(...tourLines(given.options.output, given.command[0] ?? '', result));
    return statusOf(result);
  },
});
