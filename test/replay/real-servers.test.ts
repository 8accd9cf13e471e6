/** Every server of the catalogue: a recorded session, replayed on a fresh server in the same state, is the same session. */

import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Snapshot } from '#relight/replay/snapshot.js';
import { catalogue } from '../servers/catalogue.js';
import { prepareServer, requireServer } from '../servers/prepared.js';
import { test } from '../support/leak-guard.js';
import { root } from '../support/root.js';
import { inShort, makeSmallTree, recordPlan, run } from './stage.js';

const script = join(root, 'test/replay/workload.sh');
const same = { outcome: 'same', diverged: [], failures: [], notes: [] };

describe('a recorded session again', () => {
  for (const server of catalogue)
    test(server.name, { timeout: 60_000 }, async ({ folder, skip }) => {
      requireServer({ skip }, server);
      const { command, store } = await prepareServer(server, folder, { tree: makeSmallTree(folder) });
      const before = await Snapshot.take([store]);
      const workload = `bash '${script}' ${server.access === 'writable' ? 'write' : 'read'}`;
      const plan = await recordPlan(command, { folder, workload });
      // The recording changed the store.
      await before.restore();
      await before.discard();
      for (const depth of [1, 16, 1, 16, 4]) {
        const result = await run(plan, { command, depth, snapshot: [store] });
        expect(inShort(result)).toEqual(same);
        expect(result.requests).toBeGreaterThan(30);
      }
    });
});
