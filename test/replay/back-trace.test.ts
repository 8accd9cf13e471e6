/** gdb tells where real servers crash by stale ids. */

import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import type { ReplayResult } from '#relight/replay/result.js';
import { tour } from '#relight/replay/tour.js';
import { openTrace } from '#relight/trace/reader.js';
import { buildExample } from '../servers/examples.js';
import { test } from '../support/leak-guard.js';
import { program, requires } from '../support/needs.js';
import { atEnd, makeSmallTree, run } from './stage.js';

const planOf = async (command: readonly string[], folder: string): Promise<Plan> => {
  const path = join(folder, 't.rlt');
  await tour({ trace: path, command });
  const trace = openTrace(path);
  try {
    return lift(trace);
  } finally {
    trace.close();
  }
};

const crashes = async (command: readonly string[], folder: string): Promise<ReplayResult> => {
  const plan = await planOf(command, folder);
  const probing = { ...atEnd(plan), probes: 'read', probeLimit: 1, relookup: 'none' } as const;
  return run(plan, { command, backTrace: true, ...probing });
};

const find = ({ judgements }: ReplayResult, wanted: string) => judgements.find(({ op }) => op === wanted);

describe('with a back trace', () => {
  test('a crash names the function of the server', { timeout: 60_000 }, async ({ folder, skip }) => {
    requires({ skip }, program('gdb'), program('gcc'));
    const example = await buildExample('passthrough_ll');
    const command = [example, '-f', '-s', '-o', `source=${makeSmallTree(folder)}`, '{mnt}'];
    const result = await crashes(command, folder);
    expect(find(result, 'OPENDIR')).toMatchObject({
      verdict: 'crash',
      signature: 'OPENDIR SIGSEGV: in lo_opendir',
      evidence: expect.arrayContaining([expect.stringMatching(/^#0 .* in lo_opendir \(/)]),
    });
    expect(result.notes).toEqual([]);
  });

  test('an abort begins where the check failed, in a daemon as well', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    requires({ skip }, program('gdb'), program('bindfs'));
    const found = find(await crashes(['bindfs', makeSmallTree(folder), '{mnt}'], folder), 'OPENDIR');
    expect(found).toMatchObject({ verdict: 'abort' });
    const frames = found?.evidence.filter((line) => line.startsWith('#')) ?? [];
    expect(frames[0]).toContain('libfuse');
    expect(frames.length).toBeGreaterThan(2);
  });
});
