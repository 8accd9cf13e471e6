/**
 * A request whose effect was made and whose reply was lost, sent again to the next incarnation: what takes effect twice, or is
 * refused because it had been done. Servers on disposable stores.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext } from 'vitest';
import { strategyNamed } from '#relight/kernel/strategies/registry.js';
import type { Plan } from '#relight/plan/plan.js';
import type { ReplayResult } from '#relight/replay/result.js';
import { Snapshot } from '#relight/replay/snapshot.js';
import { catalogue } from '../servers/catalogue.js';
import { prepareServer, requireServer } from '../servers/prepared.js';
import { test } from '../support/leak-guard.js';
import { realKernel, requires } from '../support/needs.js';
import { makeSmallTree, memfs, recordPlan, run } from './stage.js';

/** One of each, in the root: its nodeid is never stale. */
const CHANGES = [
  'cd "$RELIGHT_MOUNT"',
  'set -C; echo made > made; set +C',
  'mkdir folder',
  'echo once >> made',
  'mv made moved',
  'rm moved',
  'rmdir folder',
].join('\n');

interface Subject {
  readonly plan: Plan;
  readonly command: readonly string[];
  readonly store: string;
}

const recorded = async (command: readonly string[], store: string, folder: string): Promise<Subject> => {
  const before = await Snapshot.take([store]);
  const plan = await recordPlan(command, { folder, workload: CHANGES });
  await before.restore();
  await before.discard();
  return { plan, command, store };
};

const specimen = (folder: string, skip: TestContext['skip'], ...options: string[]): Promise<Subject> => {
  requires({ skip }, realKernel);
  const store = join(folder, 'store');
  mkdirSync(store);
  return recorded(memfs('--ids', 'inode', '--store', join(store, 'tree'), ...options), store, folder);
};

/** Kills the server when it has carried the last request of an operation out. */
const interrupted = ({ plan, command, store }: Subject, op: string): Promise<ReplayResult> => {
  const index = [...plan.steps].findLast((step) => step.op?.name === op)?.index;
  if (index === undefined) throw new Error(`no ${op} was recorded`);
  const restarts = [{ index, moment: 'inflight' as const }];
  const strategy = strategyNamed('resend');
  return run(plan, { command, snapshot: [store], strategy, restarts, relookup: 'same' });
};

const verdictOn = ({ judgements }: ReplayResult, op: string): string | undefined =>
  judgements.find((one) => one.op === op)?.verdict;

const limit = { timeout: 60_000 };

describe('a specimen that repeats what is sent again', () => {
  test('does it twice', limit, async ({ folder, skip }) => {
    const subject = await specimen(folder, skip);
    for (const op of ['CREATE', 'MKDIR', 'WRITE', 'RENAME2', 'UNLINK', 'RMDIR']) {
      const result = await interrupted(subject, op);
      expect([op, verdictOn(result, op)]).toEqual([op, 'twice']);
    }
  });
});

describe('a specimen that recalls its answers', () => {
  test('does it once', limit, async ({ folder, skip }) => {
    const subject = await specimen(folder, skip, '--resent', 'recall');
    for (const op of ['CREATE', 'MKDIR', 'WRITE', 'RENAME2', 'UNLINK', 'RMDIR']) {
      const result = await interrupted(subject, op);
      expect([op, verdictOn(result, op)]).toEqual([op, 'recovered']);
    }
  });
});

for (const name of ['bindfs', 'passthrough_ll'])
  describe(name, () => {
    test('tells the application that its rename failed', limit, async ({ folder, skip }) => {
      const server = catalogue.find((row) => row.name === name);
      if (server === undefined) throw new Error(`no ${name}`);
      requireServer({ skip }, server);
      const { command, store } = await prepareServer(server, folder, { tree: makeSmallTree(folder) });
      const subject = await recorded(command, store, folder);
      for (const op of ['RENAME', 'UNLINK', 'MKDIR', 'RMDIR']) {
        const result = await interrupted(subject, op);
        expect([op, verdictOn(result, op)]).toEqual([op, 'twice']);
      }
    });
  });
