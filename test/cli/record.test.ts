/** `record`, `show` and `stats` on a real mount, as their users run them. */

import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../support/leak-guard.js';
import { mountsUnder } from '../support/mounts.js';
import { realKernel, requires } from '../support/needs.js';
import { runProgram } from '../support/program.js';
import { jsonOf, runRelight, startRelight } from '../support/relight.js';
import { relightMain } from '../support/root.js';
import { until } from '../support/until.js';

const memfs = (mountPoint: string, ...options: string[]): string[] => [
  ...[process.execPath, relightMain, 'specimen', 'memfs'],
  ...options,
  mountPoint,
];

const directory = (folder: string, name: string): string => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};

describe('record', () => {
  test('a workload, and all that the documents promise', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    const workload = 'echo hi > $RELIGHT_MOUNT/new; cat $RELIGHT_MOUNT/new; exit 7';
    const server = ['sh', '-c', 'echo from the server; exec "$@"', 'sh', ...memfs(mnt)];
    const recorded = await runRelight(['record', '-o', trace, '--json', '-w', workload, '--', ...server]);
    const document = jsonOf(recorded);
    expect(recorded.status).toBe(0);
    expect(document).toMatchObject({
      trace,
      dropped: 0,
      incarnations: 1,
      mount: { point: mnt },
      exits: [{ incarnation: 0, code: 0, signal: null }],
      ending: 'workload',
      workload: { code: 7, signal: null },
      failure: null,
    });
    for (const said of ['hi\n', 'from the server\n']) expect(recorded.stderr).toContain(said);
    expect(recorded.stderr).toContain('the workload exited with status 7');

    const lines = (await runRelight(['show', trace, '--json'])).stdout.trimEnd().split('\n');
    const frames = lines.map((line) => JSON.parse(line));
    expect(frames.length).toBe(document['frames']);
    expect(frames[0]).toMatchObject({ seq: 0, direction: 'toServer', op: 'INIT', error: null });
    const written = frames.find(({ op, request }) => op === 'WRITE' && request);
    expect(Buffer.from(written.request.data, 'base64').toString()).toBe('hi\n');
    expect(written).toMatchObject({ unique: expect.any(String), nodeid: expect.any(String) });

    const stats = jsonOf(await runRelight(['stats', trace, '--json']));
    expect(stats).toMatchObject({ frames: document['frames'], perOp: { INIT: { count: 1, errors: 0 } } });
    const text = (await runRelight(['stats', trace])).stdout;
    expect(text).toContain('OPERATION');
    expect(text.split('\n').filter((line) => line.length > 80 && !line.includes(folder))).toEqual([]);
  });

  test('goes on until it is unmounted from outside', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    const recording = startRelight(['record', '-o', trace, '--', ...memfs(mnt)]);
    await until('mounted', () => recording.output().stderr.includes('recording '));
    expect(mountsUnder(mnt)).toHaveLength(1);
    const unmount = process.getuid?.() === 0 ? ['umount', mnt] : ['fusermount3', '-u', mnt];
    await runProgram(unmount);
    const { status, stderr } = await recording.finished;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toContain(`${mnt} was unmounted`);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    test(`ends in order by ${signal}`, async ({ folder, skip }) => {
      requires({ skip }, realKernel);
      const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
      const recording = startRelight(['record', '-o', trace, '--', ...memfs(mnt)]);
      await until('mounted', () => recording.output().stderr.includes('recording '));
      recording.signal(signal);
      expect((await recording.finished).status).toBe(0);
      expect(mountsUnder(mnt)).toEqual([]);
      expect((await runRelight(['show', trace])).stderr).toBe('');
    });

  test('by Ctrl-C on a terminal, which server and workload get as well', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    // A shell that is about to become its last command forgets a signal.
    const begun = join(folder, 'begun');
    const workload = `touch ${begun}; sleep 0.2; sleep 100; true`;
    const args = ['record', '-o', trace, '--json', '-w', workload, '--', ...memfs(mnt)];
    const recording = startRelight(args);
    await until('the workload runs', () => existsSync(begun));
    recording.signal('SIGINT', 'group');
    const finished = await recording.finished;
    expect(jsonOf(finished)).toMatchObject({ ending: 'interrupt', workload: { signal: 'SIGINT' } });
    expect(finished.status).toBe(0);
  });

  test('unmounts what it mounted by a relative path, or through a symbolic link', async ({
    folder,
    skip,
  }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    symlinkSync('mnt', join(folder, 'link'));
    const server = memfs('/dev/fd/{fd}');
    const given: readonly (readonly string[])[] = [
      ['--mount-at', 'mnt', '--', ...server],
      ['--mount-at', 'link', '--', ...server],
      ['--', ...memfs('link')],
    ];
    for (const args of given) {
      const options = { cwd: folder };
      const recorded = await runRelight(['record', '-o', trace, '--json', '-w', 'true', ...args], options);
      expect(jsonOf(recorded)).toMatchObject({ mount: { point: mnt } });
      expect(mountsUnder(mnt)).toEqual([]);
    }
  });

  test('killed: the mount goes away, the trace opens with what is missing stated, and repair mends it', async ({
    folder,
    skip,
  }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    const recording = startRelight(['record', '-o', trace, '--', ...memfs(mnt)]);
    await until('mounted', () => recording.output().stderr.includes('recording '));
    recording.signal('SIGKILL');
    await recording.finished;
    await until('unmounted', () => mountsUnder(mnt).length === 0);
    const shown = await runRelight(['show', trace]);
    expect(shown.status).toBe(0);
    expect(shown.stderr).toContain('has no index');
    expect((await runRelight(['repair', trace])).stdout).toContain('index written');
    expect((await runRelight(['show', trace])).stderr).toBe('');
    expect(jsonOf(await runRelight(['repair', trace, '--json']))).toMatchObject({
      changed: false,
      damage: [],
    });
  });

  test('only what the filter matches, handshake aside', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    const workload = 'ls -l $RELIGHT_MOUNT; ls $RELIGHT_MOUNT/missing; true';
    await runRelight(['record', '-o', trace, '-f', 'op==LOOKUP', '-w', workload, '--', ...memfs(mnt)]);
    const { stdout } = await runRelight(['show', trace, '--json']);
    const ops = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).op);
    expect([...new Set(ops)]).toEqual(['INIT', 'LOOKUP']);
  });

  test('rotates, and the parts are read as one', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    const workload = 'head -c 600000 /dev/urandom > $RELIGHT_MOUNT/new';
    const args = ['record', '-o', trace, '--json', '--rotate', '256K', '-w', workload, '--', ...memfs(mnt)];
    const document = jsonOf(await runRelight(args));
    expect(document['parts']).toBeGreaterThan(2);
    const { stdout, stderr } = await runRelight(['show', trace, '--json']);
    expect({ shown: stdout.trimEnd().split('\n').length, stderr }).toEqual({
      shown: document['frames'],
      stderr: '',
    });
    expect((await runRelight(['stats', trace])).stdout).toContain(`  in ${document['parts']} files\n`);
    expect((await runRelight(['show', `${trace}.1`, '-n', '1'])).stderr).toContain('is part 1 of a trace');
    rmSync(`${trace}.1`);
    expect((await runRelight(['show', trace, '-n', '1'])).stderr).toContain(`goes on in ${trace}.1`);
  });
});

describe('a server that cannot be recorded', () => {
  test('mounts never: says so with its last words', async ({ folder }) => {
    const server = ['sh', '-c', 'echo no licence >&2; exec sleep 100'];
    const args = ['record', '-o', join(folder, 't.rlt'), '--mount-timeout', '0.5', '--', ...server];
    const { status, stderr } = await runRelight(args);
    expect(status).toBe(3);
    expect(stderr.split('\n').at(-2)).toBe(
      'relight: sh did not mount within 0.5 s (no licence); check the command, or allow more time with --mount-timeout',
    );
  });

  test('exits at once', async ({ folder }) => {
    const args = ['record', '-o', join(folder, 't.rlt'), '--', 'sh', '-c', 'echo oh >&2; exit 4'];
    const { status, stderr } = await runRelight(args);
    expect(status).toBe(3);
    expect(stderr).toContain('relight: sh exited with status 4 before it could mount (oh)');
  });

  test('has no mount point', async ({ folder }) => {
    const { status, stderr } = await runRelight([
      ...['record', '-o', join(folder, 't.rlt'), '--', ...memfs(join(folder, 'missing'))],
    ]);
    expect(status).toBe(3);
    expect(stderr).toContain('missing');
  });
});

describe('show', () => {
  test('ends quietly when its reader has enough', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    const workload = 'for i in $(seq 300); do stat $RELIGHT_MOUNT/no$i; done >/dev/null 2>&1';
    await runRelight(['record', '-o', trace, '-w', workload, '--', ...memfs(mnt)]);
    const head = await runProgram(
      [
        'bash',
        '-c',
        `set -o pipefail; '${process.execPath}' '${relightMain}' show '${trace}' --json | head -1`,
      ],
      {},
    );
    expect(head).toMatchObject({ status: 0, stderr: '' });
    expect(head.stdout.trimEnd().split('\n')).toHaveLength(1);
    const limited = await runRelight(['show', trace, '-n', '3']);
    expect(limited.stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  test('recovers what it can of a damaged trace and says what is lost', async ({ folder, skip }) => {
    requires({ skip }, realKernel);
    const [trace, mnt] = [join(folder, 't.rlt'), directory(folder, 'mnt')];
    await runRelight(['record', '-o', trace, '-w', 'ls $RELIGHT_MOUNT', '--', ...memfs(mnt)]);
    const whole = readFileSync(trace);
    writeFileSync(trace, whole.subarray(0, whole.length - 100));
    const { status, stderr } = await runRelight(['show', trace]);
    expect(status).toBe(0);
    expect(stderr).toContain('relight: ');
    expect(stderr).not.toContain('    at ');
    writeFileSync(trace, whole.subarray(0, 40));
    expect(await runRelight(['show', trace])).toMatchObject({ status: 2, stdout: '' });
  });
});
