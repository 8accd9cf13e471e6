/** Tours of real servers on disposable stores: everything is seen and changed, and the trace replays on the same store. */

import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { lift } from '#relight/plan/lift.js';
import { Snapshot } from '#relight/replay/snapshot.js';
import { tour } from '#relight/replay/tour.js';
import { openTrace } from '#relight/trace/reader.js';
import { type CatalogueServer, catalogue } from '../../servers/catalogue.js';
import { prepareServer } from '../../servers/prepared.js';
import { test } from '../../support/leak-guard.js';
import { program, realKernel, requires } from '../../support/needs.js';
import { inShort, makeSmallTree, run } from '../stage.js';

/** What the kernel holds against single replies of servers that go on working. */
const complaints: Readonly<Record<string, readonly string[]>> = {
  // LOOKUP of ".." in a directory below the root: a generation for the root.
  mergerfs: ['rootGeneration'],
  // MKNOD of a pipe makes a regular file.
  rclone: ['type'],
};

/** Tours need no mount, but some stores can be filled only by one. */
const needsOf = ({ needs, store }: CatalogueServer) => [
  ...needs.map(program),
  ...(store === 'ntfs' || store === 'gocryptfs' ? [realKernel] : []),
];

describe('a tour of', () => {
  for (const server of catalogue)
    test(server.name, { timeout: 60_000 }, async ({ folder, skip }) => {
      requires({ skip }, ...needsOf(server));
      const { command, store } = await prepareServer(server, folder, { tree: makeSmallTree(folder) });
      const before = await Snapshot.take([store]);
      const path = join(folder, 't.rlt');
      const result = await tour({ trace: path, command, writing: 'keep' });
      await before.restore();
      await before.discard();
      expect(result).toMatchObject({ ending: 'done', counts: { files: 13 } });
      expect(result.counts.directories).toBeGreaterThan(2);
      expect(result.held.files).toBeGreaterThan(1);
      expect(result.written.kind).toBe(server.access === 'writable' ? 'kept' : 'refused');
      const reasons = result.refused.map(({ refusal }) => refusal.reason);
      expect(new Set(reasons)).toEqual(new Set(complaints[server.name]));
      const trace = openTrace(path);
      const plan = lift(trace);
      trace.close();
      expect(plan.unbound).toBe(0);
      const replayed = await run(plan, { command, snapshot: [store] });
      expect(inShort(replayed)).toEqual({ outcome: 'same', diverged: [], failures: [], notes: [] });
    });
});
