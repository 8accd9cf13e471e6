/**
 * What recording costs a mount: the bare server, the server under `relight record`, and the server under strace, which is
 * what people use today; alternating, since a machine's speed changes from minute to minute.
 */

import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildExample } from '../servers/examples.js';
import { mustRun, startProgram } from '../support/program.js';
import { cache, relightMain, root } from '../support/root.js';
import { type Bench, median, table } from './bench.js';

const rounds = 5;
const secondsPerMode = 0.6;
const modes = [
  'stat',
  'open-read-close',
  'create-write-unlink',
  'sequential-read',
  'sequential-write',
  'stat-by-4',
  'open-read-close-by-4',
] as const;
type Mode = (typeof modes)[number];

const ways = ['bare', 'relight', 'strace'] as const;
type Way = (typeof ways)[number];

/** `anywhere` leaves every process to the scheduler; `one processor` holds client, relay and server on the last one. */
const placements = ['anywhere', 'one processor'] as const;
type Placement = (typeof placements)[number];

/** One measurement of a mode. */
interface Sample {
  readonly mode: Mode;
  readonly perOperationNs: number;
  readonly bytesPerSecond: number;
}

interface Session {
  readonly samples: readonly Sample[];
  /** Most memory that relight ever had resident, in KiB; 0 for the other ways. */
  readonly peakKib: number;
}

const buildClient = async (): Promise<string> => {
  mkdirSync(join(cache, 'bench'), { recursive: true });
  const client = join(cache, 'bench', 'client');
  await mustRun(['gcc', '-O2', '-Wall', '-o', `${client}.new`, join(root, 'test/bench/client.c')]);
  renameSync(`${client}.new`, client);
  return client;
};

const parse = (text: string): Sample[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [name, operations, elapsedNs, bytes] = line.split(' ');
      const mode = modes.find((known) => known === name);
      if (mode === undefined) throw new Error(`not a measurement: ${line}`);
      return {
        mode,
        perOperationNs: Number(elapsedNs) / Number(operations),
        bytesPerSecond: (Number(bytes) / Number(elapsedNs)) * 1e9,
      };
    });

const commandOf = (way: Way, paths: { folder: string; server: readonly string[]; workload: string }) => {
  const { folder, server, workload } = paths;
  const bare = ['bash', join(root, 'test/servers/bare.sh'), workload, '--'];
  const traced = [
    'strace',
    '-f',
    '-qq',
    '-o',
    join(folder, 'strace.log'),
    '-e',
    'trace=read,write,readv,writev',
  ];
  const record = [process.execPath, relightMain, 'record', '-o', join(folder, 'trace.rlt')];
  const commands: Record<Way, string[]> = {
    bare: [...bare, ...server],
    strace: [...bare, ...traced, ...server],
    relight: [...record, '--workload', workload, '--', ...server],
  };
  return commands[way];
};

const peakOf = (pid: number): number => {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

const runSession = async (way: Way, placement: Placement, programs: { client: string; server: string }) => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-bench-'));
  try {
    mkdirSync(join(folder, 'source'));
    const figures = join(folder, 'figures');
    const workload = `${programs.client} "$RELIGHT_MOUNT" ${secondsPerMode} ${modes.join(' ')} > ${figures}`;
    const server = [programs.server, '-f', '-o', `source=${folder}/source,timeout=0`, '{mnt}'];
    const command = commandOf(way, { folder, server, workload });
    const pin = placement === 'anywhere' ? [] : ['taskset', '-c', String(availableParallelism() - 1)];
    return await watch([...pin, ...command], way, figures);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const watch = async (argv: readonly string[], way: Way, figures: string): Promise<Session> => {
  const running = startProgram(argv, { limitMs: 120_000 });
  let peakKib = 0;
  const timer = setInterval(() => {
    if (way === 'relight') peakKib = Math.max(peakKib, peakOf(running.pid));
  }, 50);
  const { status, stderr } = await running.finished;
  clearInterval(timer);
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}\n${stderr}`);
  return { samples: parse(readFileSync(figures, 'utf8')), peakKib };
};

type Figures = Record<Way, Session[]>;

const measure = async (placement: Placement): Promise<Figures> => {
  const programs = { client: await buildClient(), server: await buildExample('passthrough_ll') };
  const figures: Figures = { bare: [], relight: [], strace: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      console.error(`${placement}, round ${round + 1} of ${rounds}: ${way}`);
      figures[way].push(await runSession(way, placement, programs));
    }
  }
  return figures;
};

/** Nanoseconds an operation takes, one value a round. */
const timesOf = (sessions: readonly Session[], mode: Mode): number[] =>
  sessions
    .flatMap(({ samples }) => samples.filter((sample) => sample.mode === mode))
    .map((s) => s.perOperationNs);

/** Median over the rounds of the ratio to the bare session of the same round. */
const ratioOf = (figures: Figures, way: Way, mode: Mode): number => {
  const bare = timesOf(figures.bare, mode);
  return median(timesOf(figures[way], mode).map((time, round) => time / (bare[round] ?? Number.NaN)));
};

const microseconds = (ns: number): string => (ns / 1000).toFixed(1);

const row = (figures: Figures, mode: Mode): string[] => [
  mode,
  ...ways.map((way) => microseconds(median(timesOf(figures[way], mode)))),
  ratioOf(figures, 'relight', mode).toFixed(2),
  ratioOf(figures, 'strace', mode).toFixed(2),
];

const summary = (figures: Figures): string => {
  const added = (way: Way) => median(timesOf(figures[way], 'stat')) - median(timesOf(figures.bare, 'stat'));
  const peakMib = Math.max(...figures.relight.map(({ peakKib }) => peakKib)) / 1024;
  const throughput = (mode: Mode) => (1 / ratioOf(figures, 'relight', mode)).toFixed(2);
  return [
    `- time added to a stat: relight ${microseconds(added('relight'))} µs, strace ${microseconds(added('strace'))} µs: ` +
      `${(added('strace') / added('relight')).toFixed(1)} times less`,
    `- throughput to bare: sequential read ${throughput('sequential-read')}, write ${throughput('sequential-write')}`,
    `- most memory of relight: ${peakMib.toFixed(0)} MiB`,
  ].join('\n');
};

const head = ['', 'bare µs', 'relight µs', 'strace µs', 'relight / bare', 'strace / bare'];

const run = async (): Promise<string> => {
  const parts = [
    `passthrough_ll of libfuse with timeout=0; ${rounds} alternating rounds of ${secondsPerMode} s a line; medians. Sequential lines are per MiB. ` +
      'relight records the full payload; strace traces read, write, readv and writev into a file.',
  ];
  for (const placement of placements) {
    const figures = await measure(placement);
    parts.push(`## Processes run ${placement === 'anywhere' ? 'anywhere' : `on ${placement}`}`);
    parts.push(
      table(
        head,
        modes.map((mode) => row(figures, mode)),
      ),
    );
    parts.push(summary(figures));
  }
  return `${parts.join('\n\n')}\n`;
};

/** The benchmark. */
export const bench: Bench = { title: 'What recording costs', run };
