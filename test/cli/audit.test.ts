/** `audit` on a planted bug and its safe twin, as its users run it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { memfs } from '../fuzz/on-stage.js';
import { test } from '../support/leak-guard.js';
import { jsonOf, runRelight } from '../support/relight.js';

const limitMs = 120_000;

describe('audit', () => {
  test('fails a server that ends at a stale id', { timeout: limitMs }, async ({ folder }) => {
    const orders = ['audit', '-o', folder, '--seconds', '8', '--json', '--'];
    const audited = await runRelight([...orders, ...memfs('--bug', 'node-unknown-abort')], { limitMs });
    const document = jsonOf(audited);
    expect(audited.status).toBe(1);
    expect(document).toMatchObject({
      outcome: 'unsafe',
      grade: 'F',
      rule: expect.stringContaining('abort'),
      ids: { nodeids: { count: 52 }, handles: { pointers: 0 } },
      matrix: { trust: { GETATTR: 'abort' } },
      diverged: [],
      seed: 1,
      trace: join(folder, 'tour.rlt'),
    });
    expect(document['sighted']).toContainEqual(
      expect.objectContaining({
        verdict: 'abort',
        repro: expect.stringMatching(/^relight replay .*--recorded$/),
      }),
    );
    expect(document['exits']).toContainEqual(
      expect.objectContaining({ strategy: 'trust', signal: 'SIGABRT' }),
    );
    expect(existsSync(join(folder, 'tour.rlt'))).toBe(true);
    const again = await runRelight([...orders, ...memfs()]);
    expect([again.status, again.stderr]).toEqual([
      2,
      `relight: ${folder} holds an audit or a campaign already; name another folder\n`,
    ]);
  });

  test('passes its safe twin whatever the strategy', { timeout: limitMs }, async ({ folder }) => {
    const orders = [
      'audit',
      '-o',
      folder,
      '--seconds',
      '30',
      '--write',
      '--junit',
      join(folder, 'j.xml'),
      '--',
    ];
    const server = memfs('--bug', 'node-unknown-abort', '--fixed');
    const { status, stdout } = await runRelight([...orders, ...server], { limitMs });
    expect(stdout).toMatch(/^grade A {2}/);
    expect(stdout).not.toContain('never tried');
    expect(stdout.split('\n').filter((line) => [...line].length > 80 && line.includes(' '))).toEqual([]);
    expect(status).toBe(0);
    expect(existsSync(join(folder, 'j.xml'))).toBe(true);
  });
});
