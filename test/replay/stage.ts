/** What replay tests share: a recording made on a real mount, lifted to a plan, and replays of it with orders that tests leave out. */

import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strategyNamed } from '#relight/kernel/strategies/registry.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import type { ReplayOptions } from '#relight/replay/options.js';
import { replay } from '#relight/replay/replay.js';
import type { ReplayResult } from '#relight/replay/result.js';
import type { Frame } from '#relight/trace/frame.js';
import { openTrace } from '#relight/trace/reader.js';
import { runRelight } from '../support/relight.js';
import { relightMain } from '../support/root.js';

/** A workload looks this name up to say that the rest (closing, going away) shall not become part of the plan. */
export const CURTAIN = 'relight-curtain';

/** One of our own servers, mounted at the placeholder. */
export const memfs = (...options: string[]): string[] => [
  ...[process.execPath, relightMain, 'specimen', 'memfs'],
  ...options,
  '{mnt}',
];

/** Some small files with different contents, and two folders. */
export const makeSmallTree = (folder: string): string => {
  const tree = join(folder, 'small-tree');
  for (const name of ['d', 'e']) mkdirSync(join(tree, name), { recursive: true });
  for (let i = 0; i < 6; i++) {
    writeFileSync(join(tree, `a${i}`), `content of a${i} `.repeat(10 * (i + 1)));
    writeFileSync(join(tree, 'd', `b${i}`), `in d, b${i} `.repeat(7 * (i + 2)));
  }
  writeFileSync(join(tree, 'e', 'c'), 'alone\n');
  // Times of their own tell objects apart, as in trees that were not made in one second.
  const names = readdirSync(tree, { recursive: true, encoding: 'utf8' }).sort().reverse();
  for (const [age, name] of ['.', ...names].entries()) utimesSync(join(tree, name), 1.6e9, 1.6e9 - 61 * age);
  return tree;
};

function* untilCurtain(frames: Iterable<Frame>): Generator<Frame> {
  for (const frame of frames) {
    if (isCurtain(frame)) return;
    yield frame;
  }
}

const isCurtain = ({ direction, bytes }: Frame): boolean => {
  if (direction !== 'toServer') return false;
  const request = decodeRequest(bytes, newestNegotiated);
  return request.kind === 'request' && request.name === 'LOOKUP' && String(request.fields.name) === CURTAIN;
};

/** Records the server under a workload and lifts what came before the curtain. Throws when there was nothing to record. */
export const recordPlan = async (
  command: readonly string[],
  { folder, workload }: { readonly folder: string; readonly workload: string },
): Promise<Plan> => {
  const path = join(folder, 'recorded.rlt');
  const orders = ['record', '--json', '-o', path, '--workload', workload];
  const { status, stderr } = await runRelight([...orders, '--', ...command]);
  if (status !== 0) throw new Error(`record ended with ${status}\n${stderr}`);
  const trace = openTrace(path);
  try {
    const { incarnations, header } = trace;
    return lift({ frames: () => untilCurtain(trace.frames()), incarnations, header });
  } finally {
    trace.close();
  }
};

/** Restarts once, after the last step. */
export const atEnd = (plan: Plan): Pick<ReplayOptions, 'restarts'> => ({
  restarts: [{ index: plan.steps.length, moment: 'before' }],
});

const usual: Omit<ReplayOptions, 'command'> = {
  cwd: undefined,
  aslr: 'on',
  depth: 1,
  pace: 'max',
  strict: false,
  strategy: strategyNamed('trust'),
  restarts: [],
  signal: 'SIGKILL',
  snapshot: [],
  setup: undefined,
  between: undefined,
  whileDown: undefined,
  relookup: 'none',
  probes: 'none',
  probeLimit: 4,
  replyTimeoutMs: 3000,
  startTimeoutMs: 20_000,
  maxDeaths: 200,
  seed: 1,
};

/** A replay of which only the unusual is said. */
export const run = (
  plan: Plan,
  options: Pick<ReplayOptions, 'command'> & Partial<ReplayOptions>,
): Promise<ReplayResult> => replay(plan, { ...usual, ...options });

/** What came of it in a few lines, for the message of a failing test. */
export const inShort = ({ outcome, diverged, failures, notes }: ReplayResult): unknown => ({
  outcome,
  diverged: diverged
    .slice(0, 5)
    .map(({ step, op, field, expected, actual }) => ({ step, op, field, expected, actual })),
  failures,
  notes,
});

/**
 * A workload that looks things up, reads them, and holds files and a directory open behind the curtain; it changes nothing.
 */
export const HOLD = [
  'cd "$RELIGHT_MOUNT"',
  'ls -l . d e >/dev/null',
  'cat a0 a1 a2 a3 d/b0 d/b1 >/dev/null',
  'if ( : <>a1 ) 2>/dev/null; then exec 3<>a1 4<>a3 5<>d/b1 6<.; else exec 3<a1 4<a3 5<d/b1 6<.; fi',
  'head -c 10 <&3 >/dev/null; head -c 10 <&4 >/dev/null; head -c 10 <&5 >/dev/null',
  `stat ${CURTAIN} 2>/dev/null`,
  'true',
].join('\n');
