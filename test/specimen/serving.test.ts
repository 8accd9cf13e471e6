/** The served memfs: as a process on a handed-over socket, and on a real mount under real programs. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { type Draft, encodeRequest } from '#relight/protocol/encode.js';
import { errorOf } from '#relight/protocol/header.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import type { OperationName, RequestFields } from '#relight/protocol/operations.js';
import { RECORD_SIZE } from '#relight/specimen/ids/heap.js';
import { closeEnd, openChannel } from '#relight/transport/channel.js';
import { read, write } from '#relight/transport/libc.js';
import { waitReadable } from '#relight/transport/wake.js';
import { test } from '../support/leak-guard.js';
import { mountsUnder } from '../support/mounts.js';
import { program, realKernel, requires, rootUser } from '../support/needs.js';
import { mustRun, runProgram, startProgram } from '../support/program.js';
import { root } from '../support/root.js';
import { until } from '../support/until.js';

const memfs = [process.execPath, join(root, 'test/specimen/run-memfs.mjs')];

/** A memfs process on the other end of a socket. */
class Served {
  readonly #pair = openChannel();
  readonly process: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #unique = 0n;
  #stderr = '';

  constructor(options: readonly string[], wrapper: readonly string[] = []) {
    const [program = '', ...args] = [...wrapper, ...memfs, ...options, '/dev/fd/3'];
    this.process = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', this.#pair.theirs] });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ended = once(this.process, 'close');
    closeEnd(this.#pair.theirs);
  }

  /** The reply to a request; `undefined` when the server is gone. */
  ask<N extends OperationName>(name: N, nodeid: bigint, fields: Draft<RequestFields<N>>): Buffer | undefined {
    this.#unique += 2n;
    const frame = encodeRequest({ name, header: { unique: this.#unique, nodeid }, fields }, newestNegotiated);
    write(this.#pair.ours, frame, frame.length);
    const reply = new Uint8Array(1 << 20);
    if (!waitReadable(this.#pair.ours, 10_000)) throw new Error(`${name}: no reply`);
    const length = read(this.#pair.ours, reply, reply.length);
    return length > 0 ? Buffer.from(reply.subarray(0, length)) : undefined;
  }

  init(): void {
    this.ask('INIT', 0n, { major: 7, minor: 45, maxReadahead: 0 });
  }

  /** Nodeid of a name in the root. */
  walk(name: string): bigint {
    return this.ask('LOOKUP', 1n, { name })?.readBigUInt64LE(16) ?? 0n;
  }

  /** How it ended: exit status and signal. */
  async end(): Promise<{ readonly code: unknown; readonly signal: unknown; readonly stderr: string }> {
    const [code, signal] = await this.#ended;
    closeEnd(this.#pair.ours);
    return { code, signal, stderr: this.#stderr };
  }

  /** Closes our end, as a kernel does at unmount. */
  async hangUp(): Promise<{ readonly code: unknown; readonly signal: unknown }> {
    closeEnd(this.#pair.ours);
    const [code, signal] = await this.#ended;
    return { code, signal };
  }
}

/** A nodeid of a first incarnation. */
const staleId = async (options: readonly string[], wrapper: readonly string[] = []): Promise<bigint> => {
  const first = new Served(options, wrapper);
  first.init();
  const nodeid = first.walk('hello.txt');
  first.process.kill('SIGKILL');
  await first.end();
  return nodeid;
};

describe('on a handed-over socket', () => {
  test('serves, and ends with 0 when the other end closes', async () => {
    const served = new Served([]);
    served.init();
    expect(served.walk('hello.txt')).toBe(5n);
    expect(await served.hangUp()).toEqual({ code: 0, signal: null });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0, at rest', async (signal) => {
    const served = new Served([]);
    served.init();
    served.process.kill(signal);
    expect(await served.end()).toMatchObject({ code: 0, signal: null });
  });

  test('a stale address is a real SIGSEGV: the base moves with each start', async () => {
    const options = ['--ids', 'address'];
    const nodeid = await staleId(options);
    const second = new Served(options);
    second.init();
    expect(second.walk('run.sh')).not.toBe(nodeid);
    expect(second.ask('GETATTR', nodeid, {})).toBeUndefined();
    expect(await second.end()).toMatchObject({ code: null, signal: 'SIGSEGV' });
  });

  test('without randomisation the address repeats and names another file', async () => {
    const options = ['--ids', 'address'];
    const fixed = ['setarch', '-R'];
    const nodeid = await staleId(options, fixed);
    const second = new Served(options, fixed);
    second.init();
    expect(second.walk('run.sh')).toBe(nodeid);
    expect(second.ask('GETATTR', nodeid, {})?.readBigUInt64LE(16 + 16)).toBe(8n);
    await second.hangUp();
  });

  test('an id is an address inside a writable mapping of the server', async () => {
    const served = new Served(['--ids', 'address']);
    served.init();
    const nodeid = served.walk('hello.txt');
    const maps = readFileSync(`/proc/${served.process.pid}/maps`, 'utf8').split('\n');
    const holds = maps.filter((line) => {
      const [, from, to, access] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      return access?.startsWith('rw') && BigInt(`0x${from}`) <= nodeid && nodeid < BigInt(`0x${to}`);
    });
    expect(holds).toHaveLength(1);
    expect(nodeid % RECORD_SIZE).toBe(0n);
    await served.hangUp();
  });

  test('an unknown counter is a real SIGABRT, with a line that says why', async () => {
    const served = new Served(['--ids', 'counter']);
    served.init();
    expect(served.ask('GETATTR', 7n, {})).toBeUndefined();
    expect(await served.end()).toMatchObject({
      signal: 'SIGABRT',
      stderr: expect.stringContaining('node 7 not found'),
    });
  });

  test('a random id of the incarnation before is ESTALE', async () => {
    const nodeid = await staleId(['--ids', 'random']);
    const second = new Served(['--ids', 'random']);
    second.init();
    expect(errorOf(second.ask('GETATTR', nodeid, {}) ?? Buffer.alloc(16))).toBe(-116);
    await second.hangUp();
  });

  test('what was acknowledged survives kill -9 with --store', async ({ folder }) => {
    const options = ['--store', join(folder, 'store')];
    const first = new Served(options);
    first.init();
    first.ask('MKDIR', 1n, { name: 'kept', mode: 0o755 });
    first.process.kill('SIGKILL');
    await first.end();
    const second = new Served(options);
    second.init();
    expect(second.walk('kept')).toBeGreaterThan(1n);
    await second.hangUp();
  });

  test('--delay waits', async () => {
    const served = new Served(['--delay', 'GETATTR=80']);
    served.init();
    const startedMs = performance.now();
    served.ask('GETATTR', 1n, {});
    expect(performance.now() - startedMs).toBeGreaterThan(75);
    await served.hangUp();
  });

  test('a descriptor that is not open, and options that are wrong, are said in one line', async () => {
    expect(await runProgram([...memfs, '/dev/fd/77'])).toMatchObject({
      status: 2,
      stderr: '/dev/fd/77 is not an open descriptor\n',
    });
    expect(await runProgram([...memfs, '--ids', 'x', '/dev/fd/0'])).toMatchObject({ status: 2 });
    expect(await runProgram([...memfs, '/no/such/place'])).toMatchObject({ status: 3 });
  });
});

describe('on a real mount', () => {
  const mounted = async (folder: string, options: readonly string[]) => {
    const point = join(folder, 'mnt');
    mkdirSync(point);
    const server = startProgram([...memfs, ...options, point]);
    await until('the mount', () => mountsUnder(point).length > 0);
    return { point, server };
  };

  test.for([['inode'], ['inode+generation'], ['counter'], ['index'], ['random'], ['address']] as const)(
    '%s: real programs find their files unchanged',
    { timeout: 60_000 },
    async ([ids], { folder, skip }) => {
      requires({ skip }, realKernel, rootUser);
      const source = join(folder, 'source');
      mkdirSync(join(source, 'a/b'), { recursive: true });
      for (let n = 0; n < 40; n++)
        writeFileSync(join(source, n % 2 ? 'a' : 'a/b', `f${n}`), `${n} `.repeat(n * 997));
      const { point, server } = await mounted(folder, [
        '--ids',
        ids,
        '--entry-timeout',
        '0',
        '--attr-timeout',
        '0',
      ]);
      const script = `
        cp -a ${source} ${point}/copy && diff -r ${source} ${point}/copy
        tar -C ${point} -cf ${point}/all.tar copy && mkdir ${point}/un && tar -C ${point}/un -xf ${point}/all.tar
        diff -r ${source} ${point}/un/copy
        dd if=/dev/zero of=${point}/zero bs=1M count=8 status=none && test $(stat -c %s ${point}/zero) = 8388608
        mv ${point}/un/copy ${point}/moved && ln ${point}/zero ${point}/zero2 && ln -s moved ${point}/link
        find ${point}/ -type f | sort | xargs cksum > ${folder}/sums1
        find ${point}/ -type f | sort | xargs cksum > ${folder}/sums2 && cmp ${folder}/sums1 ${folder}/sums2
        rm -r ${point}/copy ${point}/moved ${point}/un && test ! -e ${point}/link/a && test "$(cat ${point}/docs/also-hello.txt)" = "$(cat ${point}/to-hello)"`;
      await mustRun(['sh', '-ec', script]);
      server.signal('SIGTERM');
      expect(await server.finished).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test('flock(1) of two processes excludes, waits and is interrupted', async ({ folder, skip }) => {
    requires({ skip }, realKernel, rootUser, program('flock'));
    const { point, server } = await mounted(folder, []);
    const file = join(point, 'hello.txt');
    const holder = startProgram(['flock', file, 'sleep', '60']);
    while ((await runProgram(['flock', '-n', file, 'true'])).status !== 1) await sleep(20);
    const waiter = startProgram(['flock', file, 'true']);
    await until('the waiter', () => readFileSync(`/proc/${waiter.pid}/wchan`, 'utf8') !== '0');
    waiter.signal('SIGTERM');
    expect(await waiter.finished).toMatchObject({ signal: 'SIGTERM' });
    const patient = startProgram(['flock', file, 'true']);
    holder.signal('SIGKILL', 'group');
    expect(await patient.finished).toMatchObject({ status: 0 });
    server.signal('SIGTERM');
    expect(await server.finished).toMatchObject({ status: 0, stderr: '' });
  });

  test('ends by itself when it is unmounted', async ({ folder, skip }) => {
    requires({ skip }, realKernel, rootUser);
    const { point, server } = await mounted(folder, []);
    await mustRun(['umount', point]);
    expect(await server.finished).toMatchObject({ status: 0, stderr: '' });
  });
});
