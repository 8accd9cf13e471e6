/** `tour` as its users run it, with replay after it. */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { openTrace } from '#relight/trace/reader.js';
import { test } from '../support/leak-guard.js';
import { requires } from '../support/needs.js';
import { giveToOrdinaryUser, ordinaryNode } from '../support/ordinary-user.js';
import { jsonOf, runRelight, startRelight } from '../support/relight.js';
import { relightMain, root } from '../support/root.js';
import { until } from '../support/until.js';

const garbage = join(root, 'test/fixtures/garbage-server.mjs');

const memfs = (...options: string[]): string[] => [
  ...[process.execPath, relightMain, 'specimen', 'memfs'],
  ...options,
  '{mnt}',
];

/** Frames that are on the disk already. */
const framesIn = (path: string): number => {
  if (!existsSync(path) || statSync(path).size === 0) return 0;
  const trace = openTrace(path);
  trace.close();
  return trace.frameCount;
};

describe('tour', () => {
  test('gives all that the document promises', async ({ folder }) => {
    const trace = join(folder, 't.rlt');
    const toured = await runRelight(['tour', '-o', trace, '--write', '--json', '--', ...memfs()]);
    expect(toured.status).toBe(0);
    const document = jsonOf(toured);
    expect(document).toMatchObject({
      trace,
      dropped: 0,
      incarnations: 1,
      mount: { options: expect.stringContaining('rootmode=40000') },
      exits: [{ incarnation: 0, code: 0, signal: null }],
      ending: 'done',
      seed: 1,
      counts: { entries: 53 },
      cut: [],
      written: { directory: '/relight-tour-1', removed: false, error: null },
      refused: [],
      underWay: null,
      failure: null,
    });
    const stats = jsonOf(await runRelight(['stats', trace, '--json']));
    expect(stats).toMatchObject({ frames: document['frames'], perOp: { INIT: { count: 1, errors: 0 } } });
  });

  test('says in a few lines what was seen', async ({ folder }) => {
    const trace = join(folder, 't.rlt');
    const { status, stdout } = await runRelight(['tour', '-o', trace, '-n', '9', '--', ...memfs()]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^toured: \d+ frames in .*t\.rlt, /);
    expect(stdout).toContain('there are more entries than --limit');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('  node exited with status 0');
  });

  test('makes a trace that replays on its recorded command', async ({ folder }) => {
    const trace = join(folder, 't.rlt');
    await runRelight(['tour', '-o', trace, '--', ...memfs()]);
    const replayed = await runRelight(['replay', trace, '--recorded', '--json']);
    expect(jsonOf(replayed)).toMatchObject({ outcome: 'same', diverged: [], findings: [] });
    expect(replayed.status).toBe(0);
  });

  test('a server that falls silent is a finding', async ({ folder }) => {
    const command = memfs('--delay', 'READLINK=60000');
    const orders = ['tour', '-o', join(folder, 't.rlt'), '--timeout', '0.4', '--json'];
    const toured = await runRelight([...orders, '--', ...command]);
    expect(toured.status).toBe(1);
    expect(jsonOf(toured)).toMatchObject({ ending: 'hang', underWay: 'READLINK' });
  });

  test('a server whose replies no kernel takes is a finding', async ({ folder }) => {
    const command = [process.execPath, garbage, '{fd}'];
    const toured = await runRelight(['tour', '-o', join(folder, 't.rlt'), '--', ...command]);
    expect(toured.status).toBe(1);
    expect(toured.stdout).toMatch(/the kernel would not take STATFS: \w+ \(fuse_dev_do_write\)/);
  });

  test('a server that refuses INIT cannot be toured', async ({ folder }) => {
    const command = [process.execPath, garbage, '{fd}', '71'];
    const toured = await runRelight(['tour', '-o', join(folder, 't.rlt'), '--', ...command]);
    expect(toured.status).toBe(3);
    expect(toured.stderr).toContain('answered INIT with EPROTO');
  });

  test('needs neither privilege nor a device that may be opened', async ({ folder, skip }) => {
    requires({ skip }, ordinaryNode);
    giveToOrdinaryUser(folder);
    const orders = ['tour', '-o', join(folder, 't.rlt'), '--write', '--json', '--', ...memfs()];
    const toured = await runRelight(orders, { asUser: true, deviceMode: '600' });
    expect(jsonOf(toured)).toMatchObject({ ending: 'done', counts: { entries: 53 } });
  });

  test('Ctrl-C ends it in order', async ({ folder }) => {
    const trace = join(folder, 't.rlt');
    const running = startRelight(['tour', '-o', trace, '--json', '--', ...memfs('--delay', '50')]);
    await until('some frames', () => framesIn(trace) > 4, 20_000);
    running.signal('SIGINT');
    const toured = await running.finished;
    expect(toured.status).toBe(0);
    expect(jsonOf(toured)).toMatchObject({ ending: 'interrupted', failure: null });
  });
});
