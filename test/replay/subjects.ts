/** Servers with a recorded session behind them, to be asked what they do with ids of an earlier life. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Plan } from '#relight/plan/plan.js';
import type { ReplayOptions } from '#relight/replay/options.js';
import type { ReplayResult } from '#relight/replay/result.js';
import { Snapshot } from '#relight/replay/snapshot.js';
import { catalogue } from '../servers/catalogue.js';
import { prepareServer, requireServer } from '../servers/prepared.js';
import { realKernel, requires } from '../support/needs.js';
import { atEnd, CURTAIN, HOLD, makeSmallTree, memfs, recordPlan, run } from './stage.js';

/** A server's session and how to replay it. */
export interface Subject {
  readonly plan: Plan;
  readonly command: readonly string[];
  /** Folder of the store, put back before each replay. */
  readonly store: string;
  /** Restarts at the end and uses what is stale then, also to write. */
  readonly ask: (options?: Partial<ReplayOptions>) => Promise<ReplayResult>;
}

const asker =
  (plan: Plan, usual: Pick<ReplayOptions, 'command'> & Partial<ReplayOptions>): Subject['ask'] =>
  (options) =>
    run(plan, { probes: 'write', probeLimit: 2, ...atEnd(plan), ...usual, ...options });

/** What a test gives. */
export interface SubjectContext {
  readonly folder: string;
  readonly skip: TestContext['skip'];
}

/** A server of the catalogue on a small tree, under a workload that ends at the curtain. */
export const subject = async (
  name: string,
  { folder, skip }: SubjectContext,
  workload: string = HOLD,
): Promise<Subject> => {
  const server = catalogue.find((row) => row.name === name);
  if (server === undefined) throw new Error(`no ${name} in the catalogue`);
  requireServer({ skip }, server);
  const { command: words, store } = await prepareServer(server, folder, { tree: makeSmallTree(folder) });
  // Threads allocate from arenas of their own, so that addresses would not repeat.
  const command = name === 'passthrough_ll' ? [...words.slice(0, 1), '-s', ...words.slice(1)] : words;
  const before = await Snapshot.take([store]);
  const plan = await recordPlan(command, { folder, workload });
  await before.restore();
  await before.discard();
  return { plan, command, store, ask: asker(plan, { command, snapshot: [store] }) };
};

/** A memfs with these ids. */
export const specimen = async (ids: string, { folder, skip }: SubjectContext): Promise<Subject> => {
  requires({ skip }, realKernel);
  const command = memfs('--ids', ids);
  const plan = await recordPlan(command, { folder, workload: HOLD_ANY });
  // It keeps its files in memory: whatever is put back, each start is fresh.
  const store = join(folder, 'nothing');
  mkdirSync(store);
  return { plan, command, store, ask: asker(plan, { command, snapshot: [store] }) };
};

/** Looks up and reads some files of any tree, and holds one open. */
const HOLD_ANY = [
  'cd "$RELIGHT_MOUNT"',
  'find . >/dev/null',
  'find . -type f -size -9 | sort | head -4 | xargs cat >/dev/null',
  'exec 3<"$(find . -type f -size +0 -size -9 | sort | head -1)" 4<.',
  'head -c 10 <&3 >/dev/null',
  `stat ${CURTAIN} 2>/dev/null`,
  'true',
].join('\n');

/** The verdicts on some operations, each once, sorted. */
export const verdicts = ({ judgements }: ReplayResult, ...ops: readonly string[]): string[] => {
  const chosen = judgements.filter(({ op }) => ops.length === 0 || ops.includes(op));
  return [...new Set(chosen.map(({ verdict }) => verdict))].sort();
};
