/** The servers that replay is measured on, each with a store of its own, and the session that is recorded on them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { openTrace, type Trace } from '#relight/trace/reader.js';
import { bareSession } from '../../servers/bare.js';
import { buildExample } from '../../servers/examples.js';
import { mustRun } from '../../support/program.js';
import { relightMain } from '../../support/root.js';
import { placed } from './placement.js';

/** A server to start, on a store that is not written to. */
export interface MeasuredServer {
  readonly name: string;
  /** With `{mnt}`. One thread each: the same requests then get the same answers, ids and all. */
  readonly command: readonly string[];
}

/** What was recorded, and how fast the kernel went through it without relight. */
export interface RecordedSession {
  readonly trace: Trace;
  readonly plan: Plan;
  /** Seconds that the session took while it was recorded, from the first request to the last. */
  readonly recordedSeconds: number;
  /** Seconds that the same session takes on a mount of the bare server, which runs apart from the programs; the least of three. */
  readonly bareSeconds: number;
}

const folders = 60;
const filesInFolder = 100;

/** A metadata session of ordinary programs: listings, attributes, opening and reading of small files, one by one. */
const workload = (figures: string): string =>
  [
    'begin=$(date +%s%N)',
    'find "$RELIGHT_MOUNT" -ls > /dev/null',
    'grep -r nothing "$RELIGHT_MOUNT" > /dev/null',
    'ls -lR "$RELIGHT_MOUNT" > /dev/null',
    `echo $(( $(date +%s%N) - begin )) > '${figures}'`,
  ].join('; ');

const plantTree = (tree: string): void => {
  for (let folder = 0; folder < folders; folder++) {
    mkdirSync(join(tree, `folder-${folder}`), { recursive: true });
    for (let file = 0; file < filesInFolder; file++)
      writeFileSync(join(tree, `folder-${folder}`, `file-${file}.txt`), `file ${file} of folder ${folder}\n`);
  }
};

/** Runs `work` with a new temporary folder, which goes afterwards. */
export const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The three servers, on stores in `folder`. */
export const measuredServers = async (folder: string): Promise<MeasuredServer[]> => {
  const tree = join(folder, 'tree');
  const image = join(folder, 'image.squashfs');
  plantTree(tree);
  await mustRun(['mksquashfs', tree, image, '-quiet', '-no-progress', '-all-root']);
  const passthrough = await buildExample('passthrough_ll');
  return [
    { name: 'passthrough_ll', command: [passthrough, '-f', '-s', '-o', `source=${tree}`, '{mnt}'] },
    { name: 'bindfs', command: ['bindfs', '-f', tree, '{mnt}'] },
    { name: 'squashfuse_ll', command: ['squashfuse_ll', '-f', image, '{mnt}'] },
  ];
};

const bareSeconds = async ({ command }: MeasuredServer, figures: string): Promise<number> => {
  const { status, stderr } = await bareSession({ command, workload: workload(figures) });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}\n${stderr}`);
  return Number(await mustRun(['cat', figures])) / 1e9;
};

/** Records the session on a real mount and times it on the bare server. */
export const recordSession = async (server: MeasuredServer, folder: string): Promise<RecordedSession> => {
  const figures = join(folder, 'figures');
  const path = join(folder, `${server.name}.rlt`);
  const record = [process.execPath, relightMain, 'record', '-o', path, '--workload', workload(figures), '--'];
  await mustRun([...record, ...server.command]);
  const seconds: number[] = [];
  const timed = (here: MeasuredServer) => bareSeconds(here, figures);
  for (let round = 0; round < 3; round++) seconds.push(await placed('apart', server, timed));
  const trace = openTrace(path);
  const plan = lift(trace);
  const recordedSeconds = (plan.steps.at(plan.steps.length - 1)?.timeNs ?? Number.NaN) / 1e9;
  return { trace, plan, recordedSeconds, bareSeconds: Math.min(...seconds) };
};
