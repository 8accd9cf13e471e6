/** How fast `replay` goes through a recorded session, next to the bare loop and to the real kernel. */

import { trust } from '#relight/kernel/strategies/trust.js';
import type { Plan } from '#relight/plan/plan.js';
import type { ReplayOptions } from '#relight/replay/options.js';
import { replay } from '#relight/replay/replay.js';
import type { ReplayResult } from '#relight/replay/result.js';
import { median, table } from '../bench.js';
import { bareLoop, prepare } from './bare-loop.js';
import { type Placement, placed } from './placement.js';
import { inFolder, type MeasuredServer, measuredServers, recordSession } from './servers.js';

const rounds = 5;
/** Depth and placement of each line. */
const settings: readonly (readonly [number, Placement])[] = [
  [1, 'apart'],
  [1, 'together'],
  [64, 'apart'],
];

/** Options of a replay without restarts, as fast as it goes. */
export const plain = ({ command }: MeasuredServer, changes: Partial<ReplayOptions> = {}): ReplayOptions => ({
  command,
  cwd: undefined,
  aslr: 'off',
  depth: 1,
  pace: 'max',
  strict: false,
  strategy: trust,
  restarts: [],
  signal: 'SIGKILL',
  snapshot: [],
  setup: undefined,
  between: undefined,
  whileDown: undefined,
  relookup: 'none',
  probes: 'none',
  probeLimit: 0,
  replyTimeoutMs: 5000,
  startTimeoutMs: 5000,
  maxDeaths: 1,
  seed: 1,
  ...changes,
});

/** A replay that has to end well. */
export const replayed = async (plan: Plan, options: ReplayOptions): Promise<ReplayResult> => {
  const result = await replay(plan, options);
  const [diverged] = result.diverged;
  const [failure] = result.failures;
  if (failure !== undefined) throw new Error(`replay of ${options.command.join(' ')}: ${failure.text}`);
  if (diverged !== undefined)
    console.error(
      `${options.command.join(' ')}: ${result.diverged.length} divergences, first ${JSON.stringify(diverged)}`,
    );
  return result;
};

const perSecond = (count: number, ms: number): number => (count / ms) * 1000;
const thousands = (rate: number): string => `${(rate / 1000).toFixed(1)}k/s`;

const measureDepth = async (server: MeasuredServer, plan: Plan, depth: number) => {
  const prepared = await prepare(server, plan, depth);
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(perSecond(prepared.requests.length, await bareLoop(server, prepared, depth)));
    const { elapsedMs } = await replayed(plan, plain(server, { depth }));
    ours.push(perSecond(plan.steps.length, elapsedMs));
  }
  const ratio = median(ours.map((rate, round) => rate / (bare[round] ?? Number.NaN)));
  return { bare: median(bare), ours: median(ours), ratio };
};

const rowsOf = async (server: MeasuredServer, folder: string): Promise<string[][]> => {
  const { plan, recordedSeconds, bareSeconds } = await recordSession(server, folder);
  const recordedRate = plan.steps.length / recordedSeconds;
  const kernelRate = plan.steps.length / bareSeconds;
  const rows: string[][] = [];
  for (const [depth, placement] of settings) {
    console.error(`${server.name}, depth ${depth}, ${placement}: ${plan.steps.length} requests`);
    const { bare, ours, ratio } = await placed(placement, server, (here) => measureDepth(here, plan, depth));
    rows.push([
      server.name,
      `${depth} ${placement}`,
      String(plan.steps.length),
      ...[recordedRate, kernelRate, bare, ours].map(thousands),
      ratio.toFixed(2),
      (ours / kernelRate).toFixed(1),
    ]);
  }
  return rows;
};

const head = [
  'server',
  'depth',
  'requests',
  'recorded',
  'real kernel',
  'bare loop',
  'replay',
  'replay / bare',
  'replay / kernel',
];

/** Markdown: one line for each server and depth. `only` is the name of a server. */
export const ratesSection = (only?: string): Promise<string> =>
  inFolder(async (folder) => {
    const rows: string[][] = [];
    for (const server of await measuredServers(folder))
      if (only === undefined || only === server.name) rows.push(...(await rowsOf(server, folder)));
    return [
      '## Rate',
      'The session: `find -ls`, `grep -r` and `ls -lR` over 6000 small files. The bare loop writes the requests of such a replay, ids already in ' +
        `place, and reads the replies, by one blocking system call for each message; ${rounds} alternating rounds, medians. Replay compares every reply.`,
      'Apart: the server and our thread have a processor each; together: they share one. Recorded: requests a second while the kernel drove the ' +
        'session and relight recorded it. Real kernel: as many requests in the time that the same programs, apart from the server, take on its ' +
        'mount without relight, the best of three.',
      table(head, rows),
    ].join('\n\n');
  });
