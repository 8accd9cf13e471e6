/** The guard sees each kind of thing that may outlive a test, and takes it away. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { guarded } from './leak-guard.js';
import { mountsUnder } from './mounts.js';
import { requires, rootUser } from './needs.js';
import { mustRun, runProgram } from './program.js';

const graceMs = 300;

describe('leak guard', () => {
  test('passes what cleans up after itself, and removes the folder', async () => {
    let folder = '';
    await guarded(async (given) => {
      folder = given;
      writeFileSync(join(given, 'own'), 'may stay until the end');
      await mustRun(['true']);
    });
    expect(existsSync(folder)).toBe(false);
  });

  test('a process, even one that left its group', async () => {
    const body = async () => {
      await mustRun(['setsid', '--fork', 'sleep', '1000']);
    };
    await expect(guarded(body, graceMs)).rejects.toThrow(/process \d+: sleep 1000/);
  });

  test('a temporary file', async () => {
    const body = async () => writeFileSync(join(tmpdir(), 'relight-forgotten'), '');
    await expect(guarded(body, graceMs)).rejects.toThrow('temporary file relight-forgotten');
  });

  test('a socket of this process', async () => {
    const server = createServer();
    const body = () => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await expect(guarded(body, graceMs)).rejects.toThrow(/descriptor socket:/);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a mount', async ({ skip }) => {
    requires({ skip }, rootUser);
    let point = '';
    const body = async (folder: string) => {
      point = join(folder, 'point');
      mkdirSync(point);
      await mustRun(['mount', '-t', 'tmpfs', 'none', point]);
    };
    await expect(guarded(body, graceMs)).rejects.toThrow(/mount .*point \(tmpfs\)/);
    expect(mountsUnder(point)).toEqual([]);
  });
});

describe('programs', () => {
  test('the time limit ends the whole group', async () => {
    const { timedOut, signal } = await runProgram(['bash', '-c', 'sleep 1000 & wait'], { limitMs: 200 });
    expect({ timedOut, signal }).toEqual({ timedOut: true, signal: 'SIGKILL' });
  });

  test('a program that does not exist is an error at once', () => {
    expect(() => runProgram(['relight-no-such-program'])).toThrow('is it installed?');
  });

  test('output and status are values', async () => {
    const child = await runProgram(['bash', '-c', 'cat; echo no >&2; exit 7'], { input: 'yes' });
    expect(child).toMatchObject({ stdout: 'yes', stderr: 'no\n', status: 7, signal: undefined });
  });
});

// Node's own spawn, unguarded, shows that the marker and not our wrapper is what finds a process.
test('a process started by other means is found too', async () => {
  const body = async () => {
    spawn('sleep', ['1000'], { stdio: 'ignore' }).unref();
  };
  await expect(guarded(body, graceMs)).rejects.toThrow(/process \d+: sleep 1000/);
});
