/** `relight tour`: arguments to a tour, and its result to a report. */

import { basename } from 'node:path';
import { RelightError } from '../../base/error.js';
import type { TourOptions, TourResult, Writing } from '../../replay/tour/options.js';
import { tour } from '../../replay/tour.js';
import { tourJson, tourLines } from '../../report/tour.js';
import { bytesText, countedText } from '../../report/units.js';
import { ExitStatus } from '../exit-status.js';
import { withInterrupts } from '../interrupts.js';
import { print, printJson } from '../output.js';
import { StatusLine } from '../status-line.js';
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
    alias: 'w',
    describe: 'change things as well, in a directory of its own in the root',
    default: false,
  },
  remove: { type: 'boolean', describe: 'take that directory away again at the end', default: false },
  limit: {
    type: 'string',
    alias: 'n',
    describe: 'directory entries to look at, at most',
    default: '1000',
    requiresArg: true,
  },
  seed: { type: 'string', describe: 'seed of everything random', default: '1', requiresArg: true },
  aslr: {
    choices: ['on', 'off'],
    describe: "the server's address randomisation",
    default: 'on',
    requiresArg: true,
  },
  timeout: { type: 'string', describe: 'seconds for a reply', default: '10', requiresArg: true },
  'start-timeout': { type: 'string', describe: 'seconds for the start', default: '30', requiresArg: true },
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

type Arguments = Given<typeof options>;

const writingOf = ({ options: { write, remove } }: Arguments): Writing => {
  if (remove && !write)
    throw new RelightError('usage', '--remove has nothing to remove', { remedy: 'give --write with it' });
  if (!write) return 'none';
  return remove ? 'remove' : 'keep';
};

const tourOptions = (given: Arguments): TourOptions => {
  const { options: o, command } = given;
  return {
    trace: o.output,
    command,
    aslr: o.aslr,
    writing: writingOf(given),
    seed: countFrom('--seed', o.seed),
    limits: { entries: countFrom('--limit', o.limit) },
    replyTimeoutMs: millisecondsFrom('--timeout', o.timeout),
    startTimeoutMs: millisecondsFrom('--start-timeout', o['start-timeout']),
  };
};

/** A server that does not live through ordinary use is a finding, and so is one whose replies no kernel takes. */
const statusFor = ({ ending, refused, status }: TourResult): ExitStatus => {
  if (ending === 'died' || ending === 'hang' || refused.length > 0) return ExitStatus.found;
  return status.failure === undefined ? ExitStatus.ok : ExitStatus.incapable;
};

const run = async (given: Arguments): Promise<ExitStatus> => {
  const orders = tourOptions(given);
  const line = new StatusLine(true);
  const controller = new AbortController();
  const result = await withInterrupts(
    () => controller.abort(),
    () =>
      tour({
        ...orders,
        signal: controller.signal,
        onProgress: ({ frames, fileBytes }) =>
          line.show(`touring  ${countedText(frames, 'frame')}  ${bytesText(fileBytes)}`),
        onStderr: (chunk) => line.through(chunk),
      }).finally(() => line.end()),
  );
  if (given.options.json) printJson(tourJson(orders.trace, result));
  else print(...tourLines(orders.trace, basename(given.command[0] ?? ''), result));
  return statusFor(result);
};

/** The verb. */
export const verb = defineVerb({
  name: 'tour',
  about:
    'Plays the kernel to a FUSE server that only believes to be mounted: walks its file system, reads, asks for attributes and links, keeps files and directories open, and writes all that was said to a trace. Needs neither a mount nor root. --write changes things too: try it on a copy.',
  operands: [],
  command: 'needed',
  options,
  examples: [
    ['tour -o t.rlt -- bindfs -f /data {mnt}', 'a trace without any mount'],
    ['tour -o t.rlt --write --remove -- ./my-server {mnt}', 'changes things in a directory of its own'],
  ],
  run,
});
