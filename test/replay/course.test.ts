import { describe, expect } from 'vitest';
import type { ReplayResult } from '#relight/replay/result.js';
import { test } from '../support/leak-guard.js';
import { CURTAIN } from './stage.js';
import { subject } from './subjects.js';

/** a1 is open throughout and read at last; the others are only looked at in between. */
const workload = [
  'cd "$RELIGHT_MOUNT" && exec 3<a1',
  'cat a0 a2 a3 d/b0 d/b1 >/dev/null; head -c 10 <&3 >/dev/null',
  `stat ${CURTAIN} 2>/dev/null`,
  'true',
].join('\n');

describe('squashfuse_ll with many requests under way when it dies', () => {
  test('those that it never read are sent again and judged by themselves', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    const { plan, ask } = await subject('squashfuse_ll', { folder, skip }, workload);
    const index = [...plan.steps].findIndex(({ op }) => op?.name === 'READ');
    const restarts = [{ index, moment: 'before' }] as const;
    const crashes = async (depth: number): Promise<string[]> => {
      const result: ReplayResult = await ask({ restarts, depth, relookup: 'same', probes: 'none' });
      return result.judgements.flatMap(({ verdict, op }) => (verdict === 'crash' ? [op] : []));
    };
    const alone = await crashes(1);
    expect(alone).toContain('READ');
    expect(await crashes(64)).toEqual(alone);
  });
});
