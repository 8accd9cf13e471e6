/** `relight fuzz`: a campaign on a restarted server, and the findings that it leaves in a folder. */

import { machine, release } from 'node:os';
import { RelightError } from '../../base/error.js';
import { CampaignFolder } from '../../fuzz/campaign-folder.js';
import { type FuzzListener, type FuzzResult, fuzz } from '../../fuzz/fuzz.js';
import { mutators } from '../../fuzz/mutators.js';
import { lift } from '../../plan/lift.js';
import { operationNamed } from '../../protocol/operations.js';
import { campaignDocument, campaignLines, type Filing, progressLine } from '../../report/campaign.js';
import { findingLine } from '../../report/finding.js';
import { commandText } from '../../report/plain.js';
import { openTrace } from '../../trace/reader.js';
import { relightVersion } from '../../trace/surroundings.js';
import { ExitStatus } from '../exit-status.js';
import { filingIn, reportOptions, writeReports } from '../findings-reports.js';
import { withInterrupts } from '../interrupts.js';
import { print, printJson } from '../output.js';
import { serverCommand } from '../server-command.js';
import { StatusLine } from '../status-line.js';
import { paintFor } from '../terminal.js';
import { serverOrders, testServerOptions } from '../test-server-options.js';
import { countFrom, millisecondsFrom } from '../values.js';
import { defineVerb, type Given } from '../verb.js';

const options = {
  output: {
    type: 'string',
    alias: 'o',
    describe: 'folder for findings, status and what it takes to go on',
    demandOption: true,
    requiresArg: true,
  },
  cases: { type: 'string', describe: 'stop after so many cases', requiresArg: true },
  seconds: { type: 'string', describe: 'stop after so long; 60 without --cases', requiresArg: true },
  seed: { type: 'string', describe: 'seed of everything random', default: '1', requiresArg: true },
  mutate: {
    type: 'string',
    describe: 'mutators or families to use, with commas, as in nodeid,fh.stale',
    requiresArg: true,
  },
  ops: { type: 'string', describe: 'operations to try, with commas', requiresArg: true },
  resume: { type: 'boolean', describe: 'go on with the campaign in the folder', default: false },
  ...reportOptions,
  ...testServerOptions,
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

type Arguments = Given<typeof options>;

const words = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const mutatorsFrom = (text: string | undefined): string[] => {
  const known = new Set(mutators.flatMap(({ name, family }) => [name, family]));
  return words(text).map((word) => {
    if (known.has(word)) return word;
    throw new RelightError('usage', `--mutate has no ${JSON.stringify(word)}`, {
      remedy: `families are ${[...new Set(mutators.map(({ family }) => family))].join(', ')}`,
    });
  });
};

const opsFrom = (text: string | undefined): string[] =>
  words(text).map((word) => {
    const op = operationNamed(word.toUpperCase());
    if (op !== undefined) return op.name;
    throw new RelightError('usage', `--ops has no operation ${JSON.stringify(word)}`, {
      remedy: 'use names as relight show prints them, such as GETATTR',
    });
  });

const DEFAULT_SECONDS = '60';

const limitsOf = ({ options: { cases, seconds } }: Arguments) => {
  const time = seconds ?? (cases === undefined ? DEFAULT_SECONDS : undefined);
  return {
    cases: cases === undefined ? undefined : countFrom('--cases', cases),
    seconds: time === undefined ? undefined : millisecondsFrom('--seconds', time) / 1000,
  };
};

const folderFor = ({ options: { output, resume } }: Arguments): CampaignFolder => {
  const folder = CampaignFolder.open(output);
  if (folder.isUsed && !resume)
    throw new RelightError('usage', `${output} holds a campaign already`, {
      remedy: 'give --resume to go on with it, or name another folder',
    });
  if (resume && !folder.isUsed)
    throw new RelightError('usage', `${output} holds no campaign to go on with`, {
      remedy: 'leave --resume out',
    });
  return folder;
};

const campaign = async (given: Arguments, folder: CampaignFolder, listener: FuzzListener) => {
  const [path = ''] = given.operands;
  const { options: o, command } = given;
  const trace = openTrace(path);
  try {
    const { argv, cwd, traceId } = trace.header;
    const chosen = serverCommand({ command, recorded: o.recorded }, { name: 'the trace', argv });
    const server = { command: chosen, cwd: command.length > 0 ? undefined : cwd };
    return await fuzz(
      {
        server: serverOrders(o, server),
        plan: lift(trace),
        material: Buffer.from(traceId).toString('hex'),
        mutate: mutatorsFrom(o.mutate),
        ops: opsFrom(o.ops),
        seed: countFrom('--seed', o.seed),
        limits: limitsOf(given),
        folder,
        resume: o.resume,
        versions: { relight: relightVersion, kernel: release(), arch: machine() },
      },
      listener,
    );
  } finally {
    trace.close();
  }
};

const report = (given: Arguments, result: FuzzResult, filing: Filing): ExitStatus => {
  const { findings, ops, status } = result;
  const fresh = findings.filter(({ id }) => !filing.accepted.has(id));
  const name = commandText(findings[0]?.command.argv ?? given.command);
  writeReports(given.options, { name, findings: fresh, ops, elapsedMs: status.elapsedMs }, filing);
  if (given.options.json) printJson(campaignDocument(result, filing));
  else print(...campaignLines(result, filing, paintFor(process.stdout)));
  return fresh.length === 0 ? ExitStatus.ok : ExitStatus.found;
};

const run = async (given: Arguments): Promise<ExitStatus> => {
  const filing = filingIn(given.options.output, given.options);
  const folder = folderFor(given);
  const line = new StatusLine(true);
  const paint = paintFor(process.stderr);
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
  };
  const result = await withInterrupts(stop, () =>
    campaign(given, folder, {
      onProgress: (status) => line.show(progressLine(status)),
      onFinding: (finding) => line.through(`${findingLine(finding, paint)}\n`),
      isStopped: () => isStopped,
    }),
  ).finally(() => line.end());
  return report(given, result, filing);
};

/** The verb. */
export const verb = defineVerb({
  name: 'fuzz',
  about:
    'Restarts a server and sends it what a restarted server must not trust: ids of its earlier life, forgotten and released ones, numbers near them, addresses in its memory, broken lengths, requests sent again. What it finds is run again on fresh servers before it is believed, made small, and kept as a file that shows it again. Run it on disposable data.',
  operands: ['TRACE'],
  command: 'optional',
  options,
  examples: [
    ['fuzz t.rlt --recorded --snapshot /data -o findings', 'a minute on the recorded server'],
    ['fuzz t.rlt --cases 20000 --seed 7 -o out -- myfs {mnt}', 'the same cases each time'],
  ],
  run,
});
