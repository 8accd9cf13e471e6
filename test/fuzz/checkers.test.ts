import { describe, expect } from 'vitest';
import { plainEnvironment } from '#relight/fuzz/environment.js';
import { runPlan, type TrialOrders } from '#relight/fuzz/trial.js';
import { makeSmallTree } from '../replay/stage.js';
import { buildExample } from '../servers/examples.js';
import { test } from '../support/leak-guard.js';
import { program, requires } from '../support/needs.js';
import { caseOf, Play } from './on-stage.js';

const files = { a1: 'file', a2: 'file', a3: 'file' } as const;

const orders = (command: readonly string[], folder: string): TrialOrders => ({
  ...{ command, cwd: folder, env: undefined, snapshot: [], sandbox: undefined, checker: undefined },
  ...{ startTimeoutMs: 60_000, replyTimeoutMs: 10_000 },
});

/** Both lives, and then a request about a number near a node: the allocators of checkers give old addresses again. */
const nearbyGetattr = (add: bigint): Play => {
  const play = new Play(files);
  for (const { bytes, patches } of caseOf('GETATTR', { node: play.actor('a1').live.node }).requests)
    play.composer.step({
      incarnation: 1,
      bytes,
      patches: patches.map((patch) => ({ ...patch, shift: { add, flip: 0n } })),
    });
  return play;
};

describe('a report of misused memory', () => {
  test('by a sanitizer is in the signature, with the function that was running', async ({ folder, skip }) => {
    requires({ skip }, program('gcc'), program('pkg-config'));
    const server = await buildExample('passthrough_ll', 'address');
    const tree = makeSmallTree(folder);
    const [judgement] = await runPlan(nearbyGetattr(64n).plan(), {
      ...orders([server, '-f', '-o', `source=${tree}`, '{mnt}'], folder),
      environment: plainEnvironment,
    });
    expect(judgement?.verdict).toBe('crash');
    expect(judgement?.signature).toMatch(/^GETATTR .*asan heap-buffer-overflow: in lo_\w+$/);
  });

  test('by valgrind is seen under it', { timeout: 120_000 }, async ({ folder, skip }) => {
    requires({ skip }, program('gcc'), program('pkg-config'), program('valgrind'));
    const server = await buildExample('passthrough_ll');
    const tree = makeSmallTree(folder);
    const [judgement] = await runPlan(nearbyGetattr(1n << 30n).plan(), {
      ...orders([server, '-f', '-o', `source=${tree}`, '{mnt}'], folder),
      checker: 'valgrind',
      environment: plainEnvironment,
    });
    expect(judgement?.verdict).toBe('crash');
    expect(judgement?.signature).toMatch(/^GETATTR .*valgrind Invalid read/);
  });
});
