/** `repro` and `minimise` on a planted bug, as their users run them. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { plainEnvironment } from '#relight/fuzz/environment.js';
import type { Finding } from '#relight/fuzz/finding.js';
import { encodeFinding, readFinding } from '#relight/fuzz/finding-file.js';
import { caseOf, memfs, Play } from '../fuzz/on-stage.js';
import { sampleFinding } from '../fuzz/sample-finding.js';
import { test } from '../support/leak-guard.js';
import { jsonOf, runRelight } from '../support/relight.js';

const buggy = memfs('--bug', 'node-unknown-abort');
const fixed = memfs('--bug', 'node-unknown-abort', '--fixed');

/** A stale GETATTR among files that have nothing to do with it. */
const planned = () => {
  const play = new Play({ 'hello.txt': 'file', 'big.bin': 'file', docs: 'directory' });
  const stale = caseOf('GETATTR', { node: play.actor('hello.txt').old.node });
  for (const { bytes, patches } of stale.requests) play.composer.step({ incarnation: 1, bytes, patches });
  return play.plan();
};

const abort: Finding = {
  ...sampleFinding,
  signature: 'abort GETATTR SIGABRT',
  verdict: 'abort',
  op: 'GETATTR',
  plan: planned(),
  environment: plainEnvironment,
  command: { argv: buggy, cwd: undefined, env: {} },
  snapshot: [],
};

const fileOf = (folder: string, finding: Partial<Finding> = {}): string => {
  const path = join(folder, 'a.rlf');
  writeFileSync(path, encodeFinding({ ...abort, ...finding }));
  return path;
};

describe('repro', () => {
  test('shows a finding on its recorded server', async ({ folder }) => {
    const path = fileOf(folder);
    const shown = await runRelight(['repro', path, '--recorded', '--runs', '2']);
    expect(shown.stdout.split('\n')[0]).toBe('2 of 2  abort: GETATTR with a stale node');
    expect(shown.stdout).toContain('the server was killed by SIGABRT');
    expect(shown.stderr).toContain('running the recorded command: ');
    expect(shown.status).toBe(1);
  });

  test('tells that a mended server does not show it', async ({ folder }) => {
    const path = fileOf(folder);
    const mended = await runRelight(['repro', path, '--runs', '2', '--json', '--', ...fixed]);
    expect(jsonOf(mended)).toMatchObject({
      outcome: 'gone',
      reliability: { k: 0, n: 2 },
      last: [{ verdict: 'rejected' }],
      finding: { verdict: 'abort', repro: `relight repro ${path} --recorded` },
    });
    expect(mended.status).toBe(0);
  });

  test('tells what another server does instead', async ({ folder }) => {
    const other = ['repro', fileOf(folder), '--runs', '1', '--', ...memfs('--ids', 'counter')];
    const { status, stdout } = await runRelight(other);
    expect(stdout).toMatch(/^0 of 1 /);
    expect(stdout).toContain('in 1 run something else: wrong-object GETATTR node');
    expect(status).toBe(1);
  });

  test('runs nothing that nobody asked for', async ({ folder }) => {
    const { status, stdout, stderr } = await runRelight(['repro', fileOf(folder)]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^relight: no server's command; the finding was made with: .*--recorded.*\n$/);
  });

  test("touches the finding's store only together with its server", async ({ folder }) => {
    const store = join(folder, 'store');
    const path = fileOf(folder, { snapshot: [store] });
    const own = await runRelight(['repro', path, '--', ...buggy]);
    expect([own.status, own.stderr]).toEqual([
      2,
      `relight: the finding needs a store; it was made on ${store}; name yours by --snapshot; it is put back after each run\n`,
    ]);
    const recorded = await runRelight(['repro', path, '--recorded']);
    expect(recorded.status).toBe(2);
    expect(recorded.stderr).toContain(`relight: no such file or directory: ${store}; check --snapshot\n`);
  });

  test('says in a line what is wrong with a file or a server', async ({ folder }) => {
    const path = fileOf(folder);
    const lines: [args: readonly string[], status: number, line: RegExp][] = [
      [[join(folder, 'none.rlf')], 2, /^relight: cannot read .*none\.rlf: no such file or directory\n$/],
      [[path, '--', 'no-such-server'], 3, /^relight: cannot start no-such-server: [^\n]*\n$/],
      [[path, '--', 'false'], 3, /^relight: false did not answer INIT; [^\n]*status 1; [^\n]*\n$/],
      [[path, '--runs', '0'], 2, /^relight: --runs must be at least 1; [^\n]*\n$/],
    ];
    for (const [args, status, line] of lines) {
      const wrong = await runRelight(['repro', ...args]);
      expect([wrong.status, wrong.stdout]).toEqual([status, '']);
      expect(wrong.stderr).toMatch(line);
    }
    const damaged = join(folder, 'damaged.rlf');
    writeFileSync(damaged, readFileSync(path).subarray(0, 100));
    const { status, stderr } = await runRelight(['repro', damaged, '--recorded']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^relight: damaged\.rlf is no finding that can be read: it is damaged; [^\n]*\n$/);
  });
});

describe('minimise', () => {
  test('leaves out what a finding does not need', async ({ folder }) => {
    const small = join(folder, 'small.rlf');
    const orders = ['minimise', fileOf(folder), '--recorded', '--budget', '8', '-o', small, '--json'];
    const minimised = await runRelight(orders);
    expect(jsonOf(minimised)).toMatchObject({
      outcome: 'smaller',
      steps: { before: abort.plan.steps.length },
      finding: { reliability: { k: 5, n: 5 }, repro: `relight repro ${small} --recorded` },
    });
    expect(minimised.status).toBe(0);
    expect(readFinding(small).plan.steps.length).toBeLessThan(4);
  });

  test('writes nothing about a finding that does not show', async ({ folder }) => {
    const small = join(folder, 'small.rlf');
    const { status, stdout } = await runRelight(['minimise', fileOf(folder), '-o', small, '--', ...fixed]);
    expect(stdout).toContain('0 of 5');
    expect(status).toBe(1);
    expect(existsSync(small)).toBe(false);
  });
});
