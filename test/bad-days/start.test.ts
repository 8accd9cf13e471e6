/** Recordings that cannot start: each says what is wrong and how to mend it, and leaves nothing behind. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../support/leak-guard.js';
import { mountsUnder } from '../support/mounts.js';
import { program, realKernel, requires, rootUser } from '../support/needs.js';
import { giveToOrdinaryUser, ordinaryNode } from '../support/ordinary-user.js';
import { type Finished, mustRun, startProgram } from '../support/program.js';
import { type RelightOptions, runRelight } from '../support/relight.js';
import { until } from '../support/until.js';

/** A message for people: no stack, no bug in relight. */
const expectRefusal = ({ status, stderr, timedOut }: Finished, words: RegExp): void => {
  expect({ status, timedOut }, stderr).toEqual({ status: 3, timedOut: false });
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/^\s+at .*\.js:\d+/m);
};

const record = (
  folder: string,
  command: readonly string[],
  options: RelightOptions = {},
): Promise<Finished> =>
  runRelight(['record', '-o', join(folder, 'trace.rlt'), '--mount-timeout', '2', '--', ...command], {
    limitMs: 30_000,
    ...options,
  });

const source = (folder: string): string => {
  const path = join(folder, 'source');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'content\n');
  return path;
};

describe('a server that does not serve', () => {
  test('a command that does not exist', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const finished = await record(folder, ['relight-no-such-server', '{mnt}']);
    expectRefusal(finished, /relight-no-such-server/);
  });

  test('a command that exits at once', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const finished = await record(folder, ['bash', '-c', 'echo no configuration >&2; exit 9', '{mnt}']);
    expectRefusal(finished, /status 9.*no configuration|no configuration[\s\S]*status 9/);
  });

  test('a command that never mounts', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const finished = await record(folder, ['bash', '-c', 'echo thinking about it >&2; sleep 1000', '{mnt}']);
    expectRefusal(finished, /within 2 s[\s\S]*thinking about it/);
    expect(finished.elapsedMs).toBeLessThan(15_000);
  });

  test('no command', async () => {
    const { status, stderr } = await runRelight(['record', '-o', 'never.rlt']);
    expect(status, stderr).toBe(2);
    expect(existsSync('never.rlt')).toBe(false);
  });
});

describe('a mount point that cannot be used', () => {
  test('it is missing', async ({ folder, skip }) => {
    requires({ skip }, realKernel, program('bindfs'));
    const finished = await record(folder, ['bindfs', '-f', source(folder), join(folder, 'absent')]);
    expectRefusal(finished, /absent/);
  });
});

describe('a mount point for a server that takes an open channel', () => {
  for (const [what, name] of [
    ['is missing', 'absent'],
    ['is a file', 'source/file'],
  ] as const)
    test(what, async ({ folder, skip }) => {
      requires({ skip }, realKernel);
      source(folder);
      const args = ['--mount-at', join(folder, name), '--', 'sleep', '1000', '/dev/fd/{fd}'];
      const finished = await runRelight(['record', '-o', join(folder, 'trace.rlt'), ...args], {
        limitMs: 30_000,
      });
      expectRefusal(finished, new RegExp(name));
    });
});

describe('a mount point that is busy', () => {
  test('the mount of a server that died is still there', async ({ folder, skip }) => {
    requires({ skip }, realKernel, rootUser, program('bindfs'));
    const point = join(folder, 'point');
    mkdirSync(point);
    const command = ['bindfs', '-f', source(folder), point];
    const died = startProgram(command);
    await until('bindfs has mounted', () => mountsUnder(point).length > 0);
    died.signal('SIGKILL');
    await died.finished;
    const finished = await record(folder, command);
    await mustRun(['umount', point]);
    expectRefusal(finished, /point/);
  });
});

describe('an output that cannot be written', () => {
  test('its folder is missing', async ({ folder, skip }) => {
    requires({ skip }, realKernel, program('bindfs'));
    const command = ['bindfs', '-f', source(folder), '{mnt}'];
    const finished = await runRelight(['record', '-o', join(folder, 'no', 'trace.rlt'), '--', ...command], {
      limitMs: 30_000,
    });
    expect([2, 3], finished.stderr).toContain(finished.status);
    expect(finished.stderr).toMatch(/trace\.rlt/);
  });
});

describe('no permission', () => {
  test('/dev/fuse is closed to an ordinary user', async ({ folder, skip }) => {
    requires({ skip }, realKernel, rootUser, ordinaryNode, program('bindfs'));
    const command = ['bindfs', '-f', '--no-allow-other', source(folder), '{mnt}'];
    giveToOrdinaryUser(folder);
    const finished = await record(folder, command, { asUser: true, deviceMode: '600' });
    expectRefusal(finished, /\/dev\/fuse/);
  });
});
