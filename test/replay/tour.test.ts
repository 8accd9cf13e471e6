/** Tours of memfs: what is seen, what is written down, and how a tour ends when it does not end well. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { lift } from '#relight/plan/lift.js';
import { errorOf, nodeidOf, opcodeOf } from '#relight/protocol/header.js';
import { type OperationName, operationNamed } from '#relight/protocol/operations.js';
import type { TourOptions, TourResult } from '#relight/replay/tour/options.js';
import { tour } from '#relight/replay/tour.js';
import { type DecodedFrame, decodedFrames } from '#relight/trace/decoded-frames.js';
import { openTrace, type Trace } from '#relight/trace/reader.js';
import type { WriterStatus } from '#relight/trace/writer.js';
import { test } from '../support/leak-guard.js';
import { root } from '../support/root.js';
import { memfs, run } from './stage.js';

type Orders = Partial<TourOptions> & { readonly folder: string };

const pathIn = (folder: string): string => join(folder, 't.rlt');

const tourOf = ({ folder, ...options }: Orders): Promise<TourResult> =>
  tour({ trace: pathIn(folder), command: memfs(), ...options });

/** What a read of the trace gives, after which it is closed. */
const inTrace = <T>(folder: string, look: (trace: Trace) => T): T => {
  const trace = openTrace(pathIn(folder));
  try {
    return look(trace);
  } finally {
    trace.close();
  }
};

const framesOf = (folder: string): DecodedFrame[] => inTrace(folder, (trace) => [...decodedFrames(trace)]);

const requestsOf = (folder: string): Uint8Array[] =>
  framesOf(folder).flatMap(({ frame }) => (frame.direction === 'toServer' ? [frame.bytes] : []));

const named = (requests: readonly Uint8Array[], name: OperationName): Uint8Array[] =>
  requests.filter((bytes) => opcodeOf(bytes) === operationNamed(name).opcode);

const textAfterHeader = (request: Uint8Array): string => Buffer.from(request.subarray(40)).toString('latin1');

describe('a walk', () => {
  test('sees every entry, and leaves files and directories open', async ({ folder }) => {
    const result = await tourOf({ folder });
    expect(result).toMatchObject({
      ending: 'done',
      counts: { entries: 53, directories: 11, files: 39, links: 3, others: 0 },
      cut: [],
      written: { kind: 'none' },
      errors: {},
      refused: [],
      underWay: undefined,
      exit: { code: 0 },
    });
    expect(result.held.files).toBeGreaterThan(1);
    expect(result.held.directories).toBeGreaterThan(1);
    const requests = requestsOf(folder);
    expect(named(requests, 'FORGET')).toEqual([]);
    const opened = named(requests, 'OPEN').length - named(requests, 'RELEASE').length;
    expect(opened).toBe(result.held.files);
  });

  test('writes all that a recording would have', async ({ folder }) => {
    const { mount, status, traffic } = await tourOf({ folder, aslr: 'off' });
    inTrace(folder, (trace) => {
      expect(trace).toMatchObject({ frameCount: status.frames, damage: [], dropped: 0 });
      expect(trace.mounts).toMatchObject([{ point: mount?.target, fstype: 'fuse.memfs' }]);
      const [first] = trace.incarnations;
      expect(first).toMatchObject({ start: { aslr: 'off' }, end: { exitCode: 0 }, init: { changes: [] } });
      expect(trace.maps(0)).not.toEqual([]);
    });
    expect(status.frames).toBe(traffic.requests + traffic.replies);
  });

  test('is the same with the same seed, and another with another', async ({ folder }) => {
    const walked = async (seed: number): Promise<string> => {
      await tourOf({ folder, seed, writing: 'keep' });
      return Buffer.concat(requestsOf(folder)).toString('base64');
    };
    const first = await walked(5);
    expect(await walked(5)).toBe(first);
    expect(await walked(6)).not.toBe(first);
  });

  test('asks for "." and ".." of nodes, as the server settled export support', async ({ folder }) => {
    const { counts } = await tourOf({ folder });
    const names = named(requestsOf(folder), 'LOOKUP').map(textAfterHeader);
    const dots = names.filter((name) => name === '.\0' || name === '..\0');
    expect(dots.length).toBe(counts.dots);
    expect(new Set(dots)).toEqual(new Set(['.\0', '..\0']));
  });

  test.for([
    { limits: { entries: 7 }, cut: ['entries'], counts: { entries: 7 } },
    { limits: { depth: 0 }, cut: ['depth'], counts: { entries: 9 } },
    { limits: { bytes: 10_000 }, cut: ['bytes'], counts: { entries: 53 } },
  ])('stops at its limits: $limits', async ({ limits, cut, counts }, { folder }) => {
    expect(await tourOf({ folder, limits })).toMatchObject({ ending: 'done', cut, counts });
  });

  test('works over a handed-over descriptor', async ({ folder }) => {
    const command = memfs().map((word) => (word === '{mnt}' ? '/dev/fd/{fd}' : word));
    expect(await tourOf({ folder, command })).toMatchObject({ ending: 'done', mount: undefined });
  });
});

describe('changes', () => {
  test('are made in a directory of their own, by every operation that makes or changes', async ({
    folder,
  }) => {
    const result = await tourOf({ folder, writing: 'keep' });
    expect(result).toMatchObject({
      ending: 'done',
      written: { kind: 'kept', directory: '/relight-tour-1' },
      refused: [],
    });
    const requests = requestsOf(folder);
    for (const name of [
      ...(['MKDIR', 'CREATE', 'MKNOD', 'SYMLINK', 'LINK', 'RENAME', 'RENAME2', 'UNLINK', 'RMDIR'] as const),
      ...(['WRITE', 'SETATTR', 'FALLOCATE', 'FSYNC', 'LSEEK', 'SETXATTR', 'REMOVEXATTR'] as const),
      ...(['GETLK', 'SETLK', 'TMPFILE', 'COPY_FILE_RANGE_64'] as const),
    ])
      expect(named(requests, name), name).not.toEqual([]);
    const [home] = named(requests, 'MKDIR');
    expect(home && nodeidOf(home)).toBe(1n);
  });

  test('are taken away again if wanted', async ({ folder }) => {
    const store = join(folder, 'store');
    const command = memfs('--store', store);
    const first = await tourOf({ folder, command, writing: 'remove' });
    expect(first.written).toEqual({ kind: 'removed', directory: '/relight-tour-1', errno: 0 });
    const second = await tourOf({ folder, command });
    expect(second.counts).toMatchObject({ entries: 53, files: 39 });
  });

  test('of an earlier tour are left alone', async ({ folder }) => {
    const command = memfs('--store', join(folder, 'store'));
    await tourOf({ folder, command, writing: 'keep' });
    const { written } = await tourOf({ folder, command, writing: 'keep' });
    expect(written).toEqual({ kind: 'kept', directory: '/relight-tour-1-2' });
  });

  test('can be replayed: the same again', async ({ folder }) => {
    await tourOf({ folder, writing: 'remove' });
    const plan = inTrace(folder, (trace) => lift(trace));
    expect(plan.unbound).toBe(0);
    const { outcome, diverged } = await run(plan, { command: memfs() });
    expect({ outcome, diverged }).toEqual({ outcome: 'same', diverged: [] });
  });
});

/** A slow server that gets SIGSEGV as soon as there is a file. */
const struckBy = (file: string): string[] => [
  ...['sh', '-c', `(until [ -e '${file}' ]; do sleep 0.05; done; kill -SEGV $$) & exec "$@"`, 'sh'],
  ...memfs('--delay', '20'),
];

describe('an ending', () => {
  test('by a crash on the way is a result, and the end of the trace', async ({ folder }) => {
    const file = join(folder, 'now');
    const onProgress = ({ frames }: WriterStatus) => frames > 20 && writeFileSync(file, '');
    const result = await tourOf({ folder, command: struckBy(file), onProgress });
    expect(result).toMatchObject({ ending: 'died', exit: { signal: 'SIGSEGV' } });
    expect(result.counts.entries).toBeLessThan(53);
    inTrace(folder, (trace) => expect(trace.incarnations[0]?.end).toMatchObject({ signal: 11 }));
  });

  test('by silence says what was asked last', async ({ folder }) => {
    const command = memfs('--delay', 'READLINK=60000');
    const result = await tourOf({ folder, command, replyTimeoutMs: 400 });
    expect(result).toMatchObject({ ending: 'hang', underWay: 'READLINK' });
    const last = framesOf(folder).at(-1)?.frame;
    expect(last?.direction).toBe('toServer');
    expect(last && opcodeOf(last.bytes)).toBe(operationNamed('READLINK').opcode);
  });

  test('by its user leaves a whole trace', async ({ folder }) => {
    const controller = new AbortController();
    const command = memfs('--delay', '20');
    // Before INIT is answered there is nothing to end in order.
    const onProgress = ({ frames }: { readonly frames: number }) => frames > 4 && controller.abort();
    const result = await tourOf({ folder, command, signal: controller.signal, onProgress });
    expect(result).toMatchObject({ ending: 'interrupted', exit: { code: 0 } });
    inTrace(folder, ({ frameCount, ending }) => {
      expect(frameCount).toBe(result.status.frames);
      expect(ending).toBeDefined();
    });
  });

  test('before there was anything to see is an error that says why', async ({ folder }) => {
    const command = ['sh', '-c', 'echo "no such store" >&2; exit 4', 'sh', '{mnt}'];
    const startedMs = performance.now();
    await expect(tourOf({ folder, command })).rejects.toMatchObject({
      code: 'server',
      message: 'sh exited with status 4 before it could answer INIT (no such store)',
    });
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  test('comes to every server, however it answers', async ({ folder }) => {
    const command = [process.execPath, join(root, 'test/fixtures/garbage-server.mjs'), '{fd}'];
    const result = await tourOf({ folder, command, writing: 'keep' });
    expect(result).toMatchObject({
      ending: 'done',
      counts: { entries: 0 },
      written: { kind: 'refused', errno: 5 },
    });
    const reasons = result.refused.map(({ refusal }) => refusal.reason);
    expect(reasons).toEqual(expect.arrayContaining(['short', 'length', 'error', 'answered', 'notification']));
  });

  test('reads no more at once than the mount options allow', async ({ folder }) => {
    const command = [...memfs('-o', 'max_read=8192')];
    await tourOf({ folder, command });
    const sizes = named(requestsOf(folder), 'READ').map((bytes) => Buffer.from(bytes).readUInt32LE(56));
    expect(Math.max(...sizes)).toBe(8192);
  });

  test('errors of the server are counted by operation', async ({ folder }) => {
    const { errors } = await tourOf({ folder, writing: 'keep' });
    expect(errors).toMatchObject({ RENAME2: { EEXIST: 1 } });
    const replies = framesOf(folder).filter(({ frame }) => frame.direction === 'toKernel');
    const failed = replies.filter(({ frame }) => errorOf(frame.bytes) !== 0).length;
    const counted = Object.values(errors).flatMap((counts) => Object.values(counts));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(failed);
  });
});
