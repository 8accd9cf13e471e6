/** `relight audit`: a scorecard of a server. */

import { existsSync } from 'node:fs';
import { machine, release } from 'node:os';
import { join } from 'node:path';
import { RelightError } from '../../base/error.js';
import { type AuditResult, audit } from '../../fuzz/audit.js';
import { CampaignFolder } from '../../fuzz/campaign-folder.js';
import type { IdReport } from '../../oracle/id-observer.js';
import { type Audited, auditDocument, auditOutcome, freshFindings } from '../../report/audit.js';
import { findingLine } from '../../report/finding.js';
import { commandText } from '../../report/plain.js';
import { scorecardLines } from '../../report/scorecard.js';
import { statsOf } from '../../report/stats.js';
import { openTrace } from '../../trace/reader.js';
import { relightVersion } from '../../trace/surroundings.js';
import { ExitStatus } from '../exit-status.js';
import { filingIn, reportOptions, writeReports } from '../findings-reports.js';
import { withInterrupts } from '../interrupts.js';
import { print, printJson } from '../output.js';
import { StatusLine } from '../status-line.js';
import { paintFor } from '../terminal.js';
import { serverOrders, testServerOptions } from '../test-server-options.js';
import { countFrom, positiveFrom } from '../values.js';
import { defineVerb, type Given } from '../verb.js';

const { recorded: _, ...serverOptions } = testServerOptions;

const options = {
  output: {
    type: 'string',
    alias: 'o',
    describe: "folder for the tour's trace and the findings",
    demandOption: true,
    requiresArg: true,
  },
  seconds: { type: 'string', describe: 'how long it may take', default: '90', requiresArg: true },
  write: {
    type: 'boolean',
    alias: 'w',
    describe: 'change things too, although nothing puts them back; --snapshot does both',
    default: false,
  },
  seed: { type: 'string', describe: 'seed of everything random', default: '1', requiresArg: true },
  ...serverOptions,
  // A server that hangs does so under most strategies; each time costs this long.
  timeout: { ...serverOptions.timeout, default: '1' },
  ...reportOptions,
  json: { type: 'boolean', describe: 'print one JSON document', default: false },
} as const;

type Arguments = Given<typeof options>;

const TRACE = 'tour.rlt';

const folderFor = (path: string): CampaignFolder => {
  const folder = CampaignFolder.open(path);
  if (!folder.isUsed && !existsSync(join(path, TRACE))) return folder;
  throw new RelightError('usage', `${path} holds an audit or a campaign already`, {
    remedy: 'name another folder',
  });
};

const idsIn = (path: string): IdReport => {
  const trace = openTrace(path);
  try {
    return statsOf(trace).ids;
  } finally {
    trace.close();
  }
};

const audited = async (given: Arguments, trace: string): Promise<AuditResult> => {
  const { options: o, command } = given;
  const line = new StatusLine(true);
  const paint = paintFor(process.stderr);
  const server = serverOrders({ ...o, recorded: false }, { command, cwd: undefined });
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
  };
  const orders = {
    ...{ server, trace, folder: folderFor(o.output) },
    mayWrite: o.write || server.snapshot.length > 0,
    seconds: positiveFrom('--seconds', o.seconds),
    seed: countFrom('--seed', o.seed),
    versions: { relight: relightVersion, kernel: release(), arch: machine() },
  };
  return withInterrupts(stop, () =>
    audit(orders, {
      onProgress: (what, share) => line.show(`${Math.min(100, Math.round(share * 100))}%  ${what}`),
      onFinding: (finding) => line.through(`${findingLine(finding, paint)}\n`),
      isStopped: () => isStopped,
    }),
  ).finally(() => line.end());
};

const report = (given: Arguments, whole: Audited): ExitStatus => {
  const { options: o, command } = given;
  const { campaign, matrix, elapsedMs } = whole.result;
  const ops = [
    ...new Set([...[...matrix.values()].flatMap((row) => [...row.keys()]), ...(campaign?.ops ?? [])]),
  ];
  writeReports(o, { name: commandText(command), findings: freshFindings(whole), ops, elapsedMs }, whole);
  if (o.json) printJson(auditDocument(whole));
  else print(...scorecardLines(whole, paintFor(process.stdout)));
  return auditOutcome(whole) === 'unsafe' ? ExitStatus.found : ExitStatus.ok;
};

const run = async (given: Arguments): Promise<ExitStatus> => {
  const { options: o, command } = given;
  const filing = filingIn(o.output, o);
  const trace = join(o.output, TRACE);
  const result = await audited(given, trace);
  const snapshot = o.snapshot ?? [];
  return report(given, { ...filing, result, ids: idsIn(trace), command, trace, snapshot });
};

/** The verb. */
export const verb = defineVerb({
  name: 'audit',
  about:
    'Grades a server by what its old ids lead to after a restart: walks it, restarts it under every strategy that the kernel might follow, with address randomisation on and off, holds a short campaign, and prints a scorecard with what was found and what to do about it. Without --snapshot or --write nothing is asked for that changes the file system; a bad server may change it all the same.',
  operands: [],
  command: 'needed',
  options,
  examples: [
    ['audit -o out -- bindfs -f /data {mnt}', 'a scorecard, with findings in out'],
    [
      'audit -o out --snapshot /data --junit out.xml -- ./myfs /data {mnt}',
      'for CI, on a store that is put back',
    ],
  ],
  run,
});
