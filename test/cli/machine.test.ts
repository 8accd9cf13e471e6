/** `doctor` and the demo, where /dev/fuse works and where it is hidden. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../support/leak-guard.js';
import { realKernel, requires, rootUser } from '../support/needs.js';
import { type Finished, runProgram } from '../support/program.js';
import { jsonOf, runRelight } from '../support/relight.js';
import { relightMain } from '../support/root.js';

/** The demo holds two short audits, which restart servers all the time. */
const limitMs = 150_000;

/** Runs relight in a mount namespace where /dev/fuse is an ordinary empty file. */
const withoutDevice = (folder: string, args: readonly string[]): Promise<Finished> => {
  const file = join(folder, 'no-fuse');
  writeFileSync(file, '');
  const script = 'mount --bind "$1" /dev/fuse && shift && exec "$@"';
  const hidden = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script, 'hide', file];
  return runProgram([...hidden, process.execPath, relightMain, ...args], { limitMs });
};

describe('doctor', () => {
  test('says what the kernel offers and that recording works', async ({ skip }) => {
    requires({ skip }, realKernel);
    const json = await runRelight(['doctor', '--json']);
    const document = jsonOf(json);
    expect(json.status).toBe(0);
    expect(document).toMatchObject({ canRecord: true, canReplay: true, minor: expect.any(Number) });
    expect(document['features']).toContain('BIG_WRITES');
    const { stdout, status } = await runRelight(['doctor']);
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
  });

  test('status 3 where nothing can be mounted, with the reason', async ({ folder, skip }) => {
    requires({ skip }, realKernel, rootUser);
    const { status, stdout } = await withoutDevice(folder, ['doctor']);
    expect(status).toBe(3);
    expect(stdout).toContain('✗ mounting');
    expect(stdout).toContain('This machine cannot record; it can replay and fuzz');
  });
});

describe('demo', { timeout: limitMs }, () => {
  test('records a real mount, and grades two servers', async ({ skip }) => {
    requires({ skip }, realKernel);
    const { status, stdout } = await runRelight(['demo'], { limitMs });
    expect(status).toBe(0);
    expect(stdout).toContain('hello from relight');
    expect(stdout).toContain('nodeids: pointer');
    expect(stdout.match(/^grade [A-F]/gm)).toEqual(['grade F', 'grade A']);
  });

  test('talks over a socket where nothing can be mounted', async ({ folder, skip }) => {
    requires({ skip }, realKernel, rootUser);
    const { status, stdout } = await withoutDevice(folder, ['demo']);
    expect(status).toBe(0);
    expect(stdout).toContain('Nothing can be mounted here');
    expect(stdout).toContain('nodeids: pointer');
  });
});
