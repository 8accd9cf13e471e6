/** `relight export`: a trace in the formats of others. */

import { RelightError } from '../../base/error.js';
import { frameJson } from '../../report/frame-json.js';
import { bodyText } from '../../report/frame-line.js';
import { capturedPacket, captureHead } from '../../report/pcapng.js';
import { commandText, plain } from '../../report/plain.js';
import { contextJson } from '../../report/trace-json.js';
import { decodedFrames } from '../../trace/decoded-frames.js';
import { openTrace, type Trace } from '../../trace/reader.js';
import { ExitStatus } from '../exit-status.js';
import { Output } from '../output.js';
import { Progress } from '../progress.js';
import { noteLosses } from '../trace-notes.js';
import { defineVerb } from '../verb.js';

type Exporter = (trace: Trace, output: Output, progress: Progress) => void;

const toJson: Exporter = (trace, output, progress) => {
  const context = contextJson(trace);
  output.line(`${context.slice(0, -1)},"frames":[`);
  let separator = '';
  for (const frame of decodedFrames(trace)) {
    progress.step();
    output.line(`${separator}${JSON.stringify(frameJson(frame))}`);
    separator = ',';
  }
  output.line(']}');
};

const toPcapng: Exporter = (trace, output, progress) => {
  const { argv, relightVersion, kernelRelease, arch } = trace.header;
  output.bytes(
    captureHead({
      comment: commandText(argv),
      application: `relight ${relightVersion}`,
      operatingSystem: `Linux ${kernelRelease} ${arch}`,
      interfaceName: trace.mounts.at(-1)?.point ?? 'fuse',
    }),
  );
  for (const decoded of decodedFrames(trace)) {
    progress.step();
    output.bytes(capturedPacket({ ...decoded.frame, comment: plain(bodyText(decoded)) }));
  }
};

const exporters = { json: toJson, pcapng: toPcapng } as const;

const write = (trace: Trace, to: keyof typeof exporters, path: string | undefined): void => {
  const progress = new Progress(trace.frameCount, 'frames');
  const output = new Output(path);
  try {
    exporters[to](trace, output, progress);
    output.close();
  } finally {
    progress.end();
  }
};

const options = {
  to: {
    choices: ['json', 'pcapng'],
    describe: 'the format',
    demandOption: true,
    requiresArg: true,
  },
  output: { type: 'string', alias: 'o', describe: 'a file; standard output without', requiresArg: true },
} as const;

/** The verb. */
export const verb = defineVerb({
  name: 'export',
  about:
    'Writes a trace in another format: json, one document with everything, or pcapng for Wireshark and its like (link type USER0, nanosecond times, directions, and what each frame says as its comment; frames beyond 256 KiB are cut).',
  operands: ['TRACE'],
  command: 'none',
  options,
  examples: [
    ['export t.rlt --to pcapng -o t.pcapng', 'then: wireshark t.pcapng'],
    ["export t.rlt --to json | jq '.frames | length'", 'for scripts'],
  ],
  run: async ({ options: { to, output }, operands: [path = ''] }) => {
    if (to === 'pcapng' && output === undefined && process.stdout.isTTY === true)
      throw new RelightError('usage', 'pcapng is not for terminals', { remedy: 'name a file with -o' });
    const trace = openTrace(path);
    try {
      write(trace, to, output);
      noteLosses(trace);
    } finally {
      trace.close();
    }
    return ExitStatus.ok;
  },
});
