/**
 * What real servers are known to do with ids of an earlier life, each with its reason in the server's source: the replay has
 * to find exactly that. Stores are disposable.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext } from 'vitest';
import { strategyNamed } from '#relight/kernel/strategies/registry.js';
import type { Plan } from '#relight/plan/plan.js';
import type { ReplayOptions } from '#relight/replay/options.js';
import type { ReplayResult } from '#relight/replay/result.js';
import { Snapshot } from '#relight/replay/snapshot.js';
import { catalogue } from '../servers/catalogue.js';
import { prepareServer, requireServer } from '../servers/prepared.js';
import { test } from '../support/leak-guard.js';
import { realKernel, requires } from '../support/needs.js';
import { atEnd, CURTAIN, HOLD, makeSmallTree, memfs, recordPlan, run } from './stage.js';

interface Subject {
  readonly plan: Plan;
  /** Restarts at the end and uses what is stale then, also to write. */
  readonly ask: (options?: Partial<ReplayOptions>) => Promise<ReplayResult>;
}

const asker =
  (plan: Plan, usual: Pick<ReplayOptions, 'command'> & Partial<ReplayOptions>): Subject['ask'] =>
  (options) =>
    run(plan, { probes: 'write', probeLimit: 2, ...atEnd(plan), ...usual, ...options });

const subject = async (
  name: string,
  { folder, skip }: { readonly folder: string; readonly skip: TestContext['skip'] },
): Promise<Subject> => {
  const server = catalogue.find((row) => row.name === name);
  if (server === undefined) throw new Error(`no ${name} in the catalogue`);
  requireServer({ skip }, server);
  const { command: words, store } = await prepareServer(server, folder, { tree: makeSmallTree(folder) });
  // Threads allocate from arenas of their own, so that addresses would not repeat.
  const command = name === 'passthrough_ll' ? [...words.slice(0, 1), '-s', ...words.slice(1)] : words;
  const before = await Snapshot.take([store]);
  const plan = await recordPlan(command, { folder, workload: HOLD });
  await before.restore();
  await before.discard();
  return { plan, ask: asker(plan, { command, snapshot: [store] }) };
};

const specimen = async (
  ids: string,
  { folder, skip }: { readonly folder: string; readonly skip: TestContext['skip'] },
): Promise<Subject> => {
  requires({ skip }, realKernel);
  const command = memfs('--ids', ids);
  const plan = await recordPlan(command, { folder, workload: HOLD_ANY });
  // It keeps its files in memory: whatever is put back, each start is fresh.
  const store = join(folder, 'nothing');
  mkdirSync(store);
  return { plan, ask: asker(plan, { command, snapshot: [store] }) };
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
const verdicts = ({ judgements }: ReplayResult, ...ops: readonly string[]): string[] => {
  const chosen = judgements.filter(({ op }) => ops.length === 0 || ops.includes(op));
  return [...new Set(chosen.map(({ verdict }) => verdict))].sort();
};

/** Operations that look at a node and carry no handle. */
const onNodes = ['GETATTR', 'OPEN', 'OPENDIR'];
const limit = { timeout: 60_000 };

describe('trust', () => {
  test('passthrough_ll: nodeids are pointers', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { plan, ask } = await subject('passthrough_ll', context);
    const nodes = [...plan.symbols].filter(({ kind, id }) => kind === 'node' && id > 0);
    expect(nodes.every(({ recorded }) => recorded > 1n << 32n)).toBe(true);
    expect(verdicts(await ask({ aslr: 'on' }), ...onNodes)).toEqual(['crash']);
    expect(verdicts(await ask({ aslr: 'off' }), ...onNodes)).toContain('wrong-object');
  });

  for (const name of ['bindfs', 'fuse2fs'])
    test(`${name}: nodeids are a counter`, limit, async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject(name, context);
      const unknown = await ask({ relookup: 'none', probes: 'read' });
      expect(verdicts(unknown, ...onNodes)).toEqual(['abort']);
      const shuffled = await ask({ relookup: 'shuffled' });
      expect(verdicts(shuffled, ...onNodes)).toContain('wrong-object');
      expect(verdicts(shuffled, ...onNodes)).not.toContain('abort');
      // SETATTR size=0 truncates another file.
      expect(verdicts(shuffled, 'SETATTR')).toContain('wrong-object');
    });

  test(
    'bindfs: handles are descriptors, directory handles pointers, a stale FORGET is a bomb',
    limit,
    async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject('bindfs', context);
      const opened = await ask({ relookup: 'shuffled+open' });
      expect(verdicts(opened, 'READ')).toContain('wrong-object');
      expect(verdicts(opened, 'WRITE')).toEqual(['wrong-object']);
      expect(verdicts(opened, 'RELEASE')).toEqual(['poison']);
      expect(verdicts(opened, 'READDIR', 'RELEASEDIR')).toEqual(['crash']);
      expect(verdicts(opened, 'FORGET')).toEqual(['abort']);
    },
  );

  test(
    'squashfuse_ll: nodeids are places in the image, handles pointers',
    limit,
    async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject('squashfuse_ll', context);
      const result = await ask({ relookup: 'shuffled' });
      expect(verdicts(result, ...onNodes)).toEqual(['recovered']);
      expect(verdicts(result, 'READDIR', 'RELEASEDIR')).toEqual(['crash']);
    },
  );

  test('gocryptfs: an unknown nodeid is a panic', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await subject('gocryptfs', context);
    expect(verdicts(await ask({ probes: 'read' }), 'OPENDIR')).toEqual(['abort']);
  });

  test('lowntfs-3g: nodeids are records of the file table', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await subject('lowntfs-3g', context);
    expect(verdicts(await ask({ relookup: 'shuffled' }), ...onNodes)).toEqual(['recovered']);
  });

  test(
    'rclone: an unknown nodeid is refused, a known one is whoever has it now',
    limit,
    async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject('rclone', context);
      expect(verdicts(await ask({ probes: 'read' }), ...onNodes)).toEqual(['rejected']);
      expect(verdicts(await ask({ relookup: 'shuffled' }), ...onNodes)).toContain('wrong-object');
    },
  );

  test('memfs --ids random refuses them all', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await specimen('random', context);
    for (const relookup of ['none', 'shuffled+open'] as const) {
      const result = await ask({ relookup });
      expect(result.outcome).toBe('same');
      expect(['not-sent', 'recovered', 'rejected']).toEqual(expect.arrayContaining(verdicts(result)));
      expect(verdicts(result)).toContain('rejected');
    }
  });

  test('memfs --ids address is not safe', limit, async ({ folder, skip }) => {
    const context = { folder, skip };
    const { ask } = await specimen('address', context);
    expect((await ask({ relookup: 'shuffled' })).outcome).toBe('unsafe');
  });
});

describe('mark-bad', () => {
  const markBad = strategyNamed('mark-bad');
  const quiet = strategyNamed('mark-bad-quiet');

  for (const { name } of catalogue)
    test(`${name}: safe only when nothing stale is sent`, limit, async ({ folder, skip }) => {
      const context = { folder, skip };
      const { ask } = await subject(name, context);
      const silent = await ask({ strategy: quiet, relookup: 'shuffled+open' });
      expect(silent.outcome).toBe('same');
      expect(verdicts(silent, 'RELEASE', 'RELEASEDIR', 'READDIR', 'FORGET')).toEqual(['not-sent']);
      const loud = await ask({ strategy: markBad, relookup: 'shuffled+open' });
      expect(loud.outcome).toBe('unsafe');
    });
});
