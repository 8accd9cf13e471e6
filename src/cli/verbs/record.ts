/** `relight record`: arguments to a recording, and its result to a report. */

import { basename } from 'node:path';
import { Recording, type RecordResult } from '../../proxy/record.js';
import type { RecordEvents, RecordOptions } from '../../proxy/record-options.js';
import { recordingJson, recordingLines } from '../../report/recording.js';
import { bytesText, clockText, countedText, countText } from '../../report/units.js';
import type { WriterStatus } from '../../trace/writer.js';
import { ExitStatus } from '../exit-status.js';
import { filterFrom, filterOption } from '../filter-option.js';
import { withInterrupts } from '../interrupts.js';
import { printJson } from '../output.js';
import { StatusLine } from '../status-line.js';
import { millisecondsFrom, payloadFrom, sizeFrom } from '../values.js';
import { defineVerb, type Given } from '../verb.js';

const options = {
  output: {
    type: 'string',
    alias: 'o',
    describe: 'the trace; replaced when it exists',
    demandOption: true,
    requiresArg: true,
  },
  workload: {
    type: 'string',
    alias: 'w',
    describe: 'shell command to run on the mount (RELIGHT_MOUNT); the session ends with it',
    requiresArg: true,
  },
  payload: {
    type: 'string',
    describe: 'file contents to keep: full, none, hash or first:BYTES',
    default: 'full',
    requiresArg: true,
  },
  filter: { ...filterOption, describe: "record only what matches, as in 'op==READ'" },
  rotate: {
    type: 'string',
    describe: 'begin a new file (T.1, T.2 …) after so many bytes; K, M, G',
    requiresArg: true,
  },
  drop: { type: 'boolean', describe: 'drop frames rather than wait for the disk', default: false },
  codec: {
    choices: ['brotli', 'deflate', 'none'],
    describe: 'compression',
    default: 'brotli',
    requiresArg: true,
  },
  affinity: {
    choices: ['together', 'free'],
    describe: 'keep proxy and server on one processor, or not',
    default: 'together',
    requiresArg: true,
  },
  aslr: {
    choices: ['on', 'off'],
    describe: "the server's address randomisation",
    default: 'on',
    requiresArg: true,
  },
  'mount-timeout': {
    type: 'string',
    describe: 'seconds that the server may take to mount',
    default: '30',
    requiresArg: true,
  },
  'mount-at': { type: 'string', describe: 'where to mount for a server that takes {fd}', requiresArg: true },
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

const HINT = 'still waiting for the server to end; interrupt again to end it by force\n';
const HINT_AFTER_MS = 1500;

type RecordArguments = Given<typeof options>;

const recordOptions = ({ options: given, command }: RecordArguments): RecordOptions => ({
  trace: given.output,
  command,
  aslr: given.aslr,
  affinity: given.affinity,
  workload: given.workload,
  workloadOutput: given.json ? 'stderr' : 'inherit',
  payload: payloadFrom('--payload', given.payload),
  filter: given.filter,
  rotateBytes: given.rotate === undefined ? undefined : sizeFrom('--rotate', given.rotate),
  codec: given.codec,
  drop: given.drop,
  mountTimeoutMs: millisecondsFrom('--mount-timeout', given['mount-timeout']),
  mountAt: given['mount-at'],
  serverOutput: given.json ? 'stderr' : 'inherit',
});

/** What a terminal shows while frames come in: the rate is that of the time since the last look. */
class ProgressText {
  readonly #point: string;
  readonly #mountedMs = performance.now();
  #lastMs = this.#mountedMs;
  #lastFrames = 0;

  constructor(point: string) {
    this.#point = point;
  }

  /** The text now. */
  next({ frames, fileBytes }: WriterStatus): string {
    const nowMs = performance.now();
    const rate = ((frames - this.#lastFrames) * 1000) / Math.max(1, nowMs - this.#lastMs);
    [this.#lastMs, this.#lastFrames] = [nowMs, frames];
    return [
      `recording ${this.#point}`,
      clockText((nowMs - this.#mountedMs) / 1000),
      countedText(frames, 'frame'),
      `${countText(Math.round(rate))}/s`,
      bytesText(fileBytes),
    ].join('  ');
  }
}

const eventsFor = (line: StatusLine, workload: string | undefined): RecordEvents => {
  let text: ProgressText | undefined;
  return {
    onMounted: (at) => {
      text = new ProgressText(at);
      const how = workload === undefined ? 'until it is unmounted, or Ctrl-C' : 'during the workload';
      line.through(`recording ${at} ${how}\n`);
    },
    onProgress: (status) => text && line.show(text.next(status)),
    onTraceFailed: (why) =>
      line.through(`relight: the trace ends here: ${why}; the mount goes on unrecorded\n`),
    onStderr: (chunk) => line.through(chunk),
  };
};

const report = ({ options: given, command }: RecordArguments, result: RecordResult): ExitStatus => {
  const server = basename(command[0] ?? '');
  const lines = recordingLines(given.output, server, result);
  process.stderr.write(`${lines.join('\n')}\n`);
  if (given.json) printJson(recordingJson(given.output, result));
  return result.status.failure === undefined ? ExitStatus.ok : ExitStatus.incapable;
};

/** Passes signals on; when the end then takes its time, says how to hasten it. */
const interrupter = (recording: Recording, line: StatusLine) => {
  let hint: NodeJS.Timeout | undefined;
  return {
    onSignal: (signal: NodeJS.Signals): void => {
      hint ??= setTimeout(() => line.through(HINT), HINT_AFTER_MS);
      recording.interrupt(signal);
    },
    end: (): void => clearTimeout(hint),
  };
};

const run = async (given: RecordArguments): Promise<ExitStatus> => {
  filterFrom(given.options.filter);
  const { workload } = given.options;
  // A workload has the terminal to itself.
  const line = new StatusLine(workload === undefined);
  const recording = new Recording(recordOptions(given), eventsFor(line, workload));
  const { onSignal, end } = interrupter(recording, line);
  const result = await withInterrupts(onSignal, () =>
    recording.run().finally(() => {
      end();
      line.end();
    }),
  );
  return report(given, result);
};

/** The verb. */
export const verb = defineVerb({
  name: 'record',
  about:
    'Runs a FUSE server behind a proxy on a real mount, at its own mount point with its own options, and writes all that crosses the device to a trace. Ends when the file system is unmounted, the server exits, the workload ends, or by Ctrl-C.',
  operands: [],
  command: 'needed',
  options,
  examples: [
    ['record -o t.rlt -- bindfs -f /data /mnt/data', 'works like bindfs itself; Ctrl-C ends it'],
    [
      "record -o t.rlt -w 'ls -lR $RELIGHT_MOUNT' -- bindfs -f /data {mnt}",
      'on a temporary mount point, for one command',
    ],
  ],
  run,
});
