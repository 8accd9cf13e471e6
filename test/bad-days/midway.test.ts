/** Recordings that go wrong in the middle: users of the mount get an answer, the trace says what happened, nothing is left. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, type TestContext } from 'vitest';
import { test } from '../support/leak-guard.js';
import { mountsUnder } from '../support/mounts.js';
import { program, realKernel, requires, rootUser } from '../support/needs.js';
import { type Finished, mustRun, type Running, runProgram } from '../support/program.js';
import { jsonOf, runRelight, startRelight } from '../support/relight.js';
import { root } from '../support/root.js';
import { until } from '../support/until.js';

interface Scene {
  readonly trace: string;
  readonly source: string;
  readonly point: string;
  /** bindfs from `source` to `point`. */
  readonly server: readonly string[];
}

const scene = (folder: string): Scene => {
  const [trace, source, point] = [join(folder, 'trace.rlt'), join(folder, 'source'), join(folder, 'point')];
  mkdirSync(source);
  mkdirSync(point);
  writeFileSync(join(source, 'file'), 'content\n');
  return { trace, source, point, server: ['bindfs', '-f', source, point] };
};

const needBindfs = (skip: TestContext['skip']): void => requires({ skip }, realKernel, program('bindfs'));

/** A recording that goes on until it is stopped. */
const startRecording = async ({ trace, point, server }: Scene): Promise<Running> => {
  const running = startRelight(['record', '--json', '-o', trace, '--', ...server], { limitMs: 60_000 });
  await until('the mount', () => mountsUnder(point).length > 0).catch(async (error) => {
    running.signal('SIGKILL', 'group');
    throw new Error(`${error.message}\n${running.output().stderr}`);
  });
  await mustRun(['cat', join(point, 'file')]);
  return running;
};

const framesShown = async (trace: string): Promise<{ readonly frames: number; readonly shown: Finished }> => {
  const shown = await runRelight(['show', '--json', trace]);
  expect(shown.status, shown.stderr).toBe(0);
  return { frames: shown.stdout.split('\n').filter((line) => line !== '').length, shown };
};

/** A file system that is gone answers with an error or shows the empty folder below it; it does not hang. */
const expectGone = async (point: string): Promise<void> => {
  const { timedOut, stdout } = await runProgram(['ls', point], { limitMs: 10_000 });
  expect({ timedOut, stdout }).toEqual({ timedOut: false, stdout: '' });
};

describe('the disk is full', () => {
  test('the mount goes on, the trace ends cleanly and says so', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    needBindfs(skip);
    requires({ skip }, rootUser);
    const { source, server } = scene(folder);
    const small = join(folder, 'small');
    mkdirSync(small);
    await mustRun(['mount', '-t', 'tmpfs', '-o', 'size=512k', 'none', small]);
    try {
      const trace = join(small, 'trace.rlt');
      const big = join(root, 'package-lock.json');
      const workload = `dd if=/dev/urandom of="$RELIGHT_MOUNT/noise" bs=1M count=12 status=none; cp ${big} "$RELIGHT_MOUNT/after"`;
      const finished = await runRelight(['record', '-o', trace, '--workload', workload, '--', ...server]);
      expect(finished.timedOut).toBe(false);
      expect(finished.stderr).toMatch(/no space|ENOSPC|full/i);
      expect(readFileSync(join(source, 'after'))).toEqual(readFileSync(big));
      const { frames, shown } = await framesShown(trace);
      expect(frames).toBeGreaterThan(10);
      expect(shown.stderr).toMatch(/space|ENOSPC|full|lost/i);
    } finally {
      await mustRun(['umount', small]);
    }
  });
});

describe('relight is killed', () => {
  test('the mount goes away, and the trace opens with its loss stated', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    needBindfs(skip);
    const here = scene(folder);
    const running = await startRecording(here);
    // What is older than a second is on disk; only younger frames may be lost.
    await sleep(1500);
    running.signal('SIGKILL');
    await running.finished;
    await expectGone(here.point);
    await until('no mount', () => mountsUnder(here.point).length === 0);
    const { frames, shown } = await framesShown(here.trace);
    expect(frames).toBeGreaterThan(0);
    expect(shown.stderr).toMatch(/repair|lost|cut|incomplete/i);
    const repaired = await runRelight(['repair', here.trace]);
    expect(repaired.status, repaired.stderr).toBe(0);
    expect((await framesShown(here.trace)).frames).toBe(frames);
  });
});

/** A server that can be stopped and killed by the process number that it writes into a file. */
const wrappedServer = (folder: string, server: readonly string[]) => {
  const pidFile = join(folder, 'pid');
  return {
    /** For a shell. */
    pid: `$(cat ${pidFile})`,
    command: ['bash', '-c', `echo $$ > ${pidFile}; exec "$@"`, 'wrapped', ...server],
  };
};

describe('a program waits for an answer', () => {
  test('and relight is killed: it gets an error', { timeout: 60_000 }, async ({ folder, skip }) => {
    needBindfs(skip);
    const { trace, point, server } = scene(folder);
    const { pid, command } = wrappedServer(folder, server);
    const [begun, answer] = [join(folder, 'begun'), join(folder, 'answer')];
    const ask = `cat "$RELIGHT_MOUNT/file" 2>${answer}; echo over >>${answer}`;
    const workload = `kill -STOP ${pid}; touch ${begun}; ${ask}`;
    const running = startRelight(['record', '-o', trace, '--workload', workload, '--', ...command]);
    await until('the workload runs', () => existsSync(begun));
    await sleep(200);
    running.signal('SIGKILL');
    await running.finished;
    await until('an answer', () => existsSync(answer) && readFileSync(answer, 'utf8').endsWith('over\n'));
    expect(readFileSync(answer, 'utf8')).toMatch(/not connected|abort|Input\/output error|No such/i);
    await expectGone(point);
    await until('no mount', () => mountsUnder(point).length === 0);
  });

  test('and its server is killed: it gets an error, and the trace says what was asked', {
    timeout: 60_000,
  }, async ({ folder, skip }) => {
    needBindfs(skip);
    const { trace, server } = scene(folder);
    const { pid, command } = wrappedServer(folder, server);
    const answer = join(folder, 'answer');
    const workload = `kill -STOP ${pid}; (sleep 0.3; kill -KILL ${pid}) & cat "$RELIGHT_MOUNT/file" 2>${answer}`;
    const args = ['record', '--json', '-o', trace, '--workload', workload, '--', ...command];
    const finished = await runRelight(args, { limitMs: 30_000 });
    expect(finished.timedOut).toBe(false);
    expect(readFileSync(answer, 'utf8')).toMatch(/not connected|abort|Input\/output error|No such/i);
    expect(jsonOf(finished)).toMatchObject({ exits: [{ signal: 'SIGKILL' }] });
    expect(jsonOf(await runRelight(['stats', '--json', trace]))).toMatchObject({ inFlight: 1 });
  });
});

describe('the server is killed', () => {
  test('callers get an error at once, and the report says what killed it', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    needBindfs(skip);
    const { trace, server } = scene(folder);
    const { pid, command } = wrappedServer(folder, server);
    const answer = join(folder, 'answer');
    const workload = `kill -KILL ${pid}; cat "$RELIGHT_MOUNT/file" 2>${answer}`;
    const finished = await runRelight(
      ['record', '--json', '-o', trace, '--workload', workload, '--', ...command],
      { limitMs: 30_000 },
    );
    expect(finished.timedOut).toBe(false);
    expect(readFileSync(answer, 'utf8')).toMatch(/not connected|abort|Input\/output error|No such file/i);
    const report = jsonOf(finished);
    expect(report['exits']).toMatchObject([{ incarnation: 0, signal: 'SIGKILL' }]);
    expect((await framesShown(trace)).frames).toBeGreaterThan(1);
  });
});

/** The first asks, the second insists: then it is over at once, whoever is deaf. */
const expectEndOfCtrlCTwice = async (running: Running): Promise<void> => {
  running.signal('SIGINT');
  // Two signals at the same time are one.
  await sleep(300);
  const startedMs = performance.now();
  running.signal('SIGINT');
  const { timedOut } = await running.finished;
  expect(timedOut).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(4_000);
};

describe('Ctrl-C', () => {
  test('once: the mount goes, the report comes', { timeout: 60_000 }, async ({ folder, skip }) => {
    needBindfs(skip);
    const here = scene(folder);
    const running = await startRecording(here);
    running.signal('SIGINT');
    const finished = await running.finished;
    expect(finished.timedOut).toBe(false);
    expect(jsonOf(finished)).toMatchObject({ trace: here.trace, incarnations: 1, dropped: 0 });
    expect(mountsUnder(here.point)).toEqual([]);
  });

  test('twice, with a server and a workload that ignore it', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    needBindfs(skip);
    const { trace, point, server } = scene(folder);
    const deaf = ['bash', '-c', 'trap "" INT TERM HUP; exec "$@"', 'deaf', ...server];
    const begun = join(folder, 'begun');
    const workload = `trap "" INT TERM; touch ${begun}; while :; do sleep 1; done`;
    const running = startRelight(['record', '-o', trace, '--workload', workload, '--', ...deaf]);
    await until('the workload runs', () => existsSync(begun));
    await expectEndOfCtrlCTwice(running);
    expect(mountsUnder(point)).toEqual([]);
    expect((await framesShown(trace)).frames).toBeGreaterThan(0);
  });

  test('twice, while a program waits for a server that does not answer', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    needBindfs(skip);
    const { trace, point, server } = scene(folder);
    const { pid, command } = wrappedServer(folder, server);
    const begun = join(folder, 'begun');
    const workload = `kill -STOP ${pid}; touch ${begun}; cat "$RELIGHT_MOUNT/file"`;
    const running = startRelight(['record', '-o', trace, '--workload', workload, '--', ...command]);
    await until('the workload runs', () => existsSync(begun));
    await sleep(200);
    await expectEndOfCtrlCTwice(running);
    expect(mountsUnder(point)).toEqual([]);
  });

  test('before the server has mounted', { timeout: 60_000 }, async ({ folder, skip }) => {
    needBindfs(skip);
    const { trace } = scene(folder);
    const begun = join(folder, 'begun');
    const command = ['bash', '-c', `touch ${begun}; sleep 1000`, '{mnt}'];
    const running = startRelight(['record', '-o', trace, '--', ...command]);
    await until('the server runs', () => existsSync(begun));
    running.signal('SIGINT');
    const { timedOut, elapsedMs } = await running.finished;
    expect(timedOut).toBe(false);
    expect(elapsedMs).toBeLessThan(15_000);
  });
});

describe('the mount is busy when the workload ends', () => {
  test('it goes all the same', { timeout: 60_000 }, async ({ folder, skip }) => {
    needBindfs(skip);
    const { trace, point, server } = scene(folder);
    const workload = '(cd "$RELIGHT_MOUNT" && exec sleep 3 >/dev/null 2>&1) & sleep 0.2';
    const finished = await runRelight([
      'record',
      '--json',
      '-o',
      trace,
      '--workload',
      workload,
      '--',
      ...server,
    ]);
    expect(finished.status, finished.stderr).toBe(0);
    expect(mountsUnder(point)).toEqual([]);
  });
});

describe('the server writes garbage', () => {
  test('what the kernel refuses is recorded and changes nothing', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    requires({ skip }, realKernel);
    const trace = join(folder, 'trace.rlt');
    const server = [process.execPath, join(root, 'test/fixtures/garbage-server.mjs'), '{fd}'];
    const answer = join(folder, 'answer');
    const workload = `stat "$RELIGHT_MOUNT/file" 2>${answer}; ls "$RELIGHT_MOUNT" 2>>${answer}; true`;
    const finished = await runRelight(
      ['record', '--json', '-o', trace, '--workload', workload, '--', ...server],
      {
        limitMs: 30_000,
      },
    );
    expect({ status: finished.status, timedOut: finished.timedOut }, finished.stderr).toEqual({
      status: 0,
      timedOut: false,
    });
    // An error reply with a body is malformed, and the kernel ends its request with EIO (fuse_dev_do_write).
    expect(readFileSync(answer, 'utf8')).toMatch(/not implemented|Input\/output error/i);
    const { frames } = await framesShown(trace);
    expect(frames).toBeGreaterThan(20);
  });
});
