/** `relight specimen` with planted bugs: the list of the truth, and real processes that really die. */

import { describe, expect } from 'vitest';
import { test } from '../support/leak-guard.js';
import { runRelight } from '../support/relight.js';
import { relightMain } from '../support/root.js';

const said = async (args: readonly string[]) => {
  const { status, stderr } = await runRelight(args);
  return { status, stderr };
};

describe('planted bugs', () => {
  test('the list tells what each is, where it shows and what may be said of it', async () => {
    const { status, stdout } = await runRelight(['specimen', 'bugs', '--json']);
    const bugs: Record<string, unknown>[] = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(bugs.length).toBeGreaterThan(25);
    expect(bugs.find(({ name }) => name === 'forget-underflow')).toEqual({
      name: 'forget-underflow',
      summary: 'asserts that no FORGET takes more lookups than there were',
      fix: 'such a FORGET is ignored',
      mechanism: 'assertion',
      verdicts: ['abort'],
      ops: ['FORGET', 'BATCH_FORGET'],
    });
  });

  test('wrong arguments are said in one line', async () => {
    expect(await said(['specimen', 'memfs', '--bug', 'forget-underflw', '/tmp'])).toEqual({
      status: 2,
      stderr: 'relight: there is no planted bug forget-underflw; did you mean forget-underflow?\n',
    });
    expect(await said(['specimen', 'memfs', '--fixed', '/tmp'])).toEqual({
      status: 2,
      stderr: 'relight: --fixed has nothing to fix; give --bug with it\n',
    });
    expect((await said(['specimen', 'memfs'])).stderr).toContain('specimen needs MOUNTPOINT');
  });

  test.for([
    { bug: 'read-stale-fh', verdict: 'wrong-object' },
    { bug: 'node-unknown-abort', verdict: 'abort' },
  ])('a replay finds $bug and nothing in its twin', async ({ bug, verdict }, { folder }) => {
    const server = [process.execPath, relightMain, 'specimen', 'memfs', '--bug', bug];
    const verdicts = async (extra: readonly string[]): Promise<Record<string, number>> => {
      const command = ['--', ...server, ...extra, '{mnt}'];
      const trace = `${folder}/${extra.length}.rlt`;
      await runRelight(['tour', '-o', trace, '--limit', '20', ...command]);
      const orders = ['--restart-at', 'end', '--relookup', 'shuffled+open', '--probe-limit', '1', '--json'];
      return JSON.parse((await runRelight(['replay', trace, ...orders, ...command])).stdout).verdicts;
    };
    expect(await verdicts([])).toHaveProperty(verdict);
    expect(Object.keys(await verdicts(['--fixed']))).toEqual(['rejected']);
  });
});
