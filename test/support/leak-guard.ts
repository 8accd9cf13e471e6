/**
 * A `test` that fails when anything outlives it: a mount, a process, a socket or device file of this process, a file in
 * the temporary folder. It knows nothing of relight: whatever the test starts is found by an environment variable.
 */

import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from 'vitest';
import { mountsUnder } from './mounts.js';
import { runProgram } from './program.js';
import { until } from './until.js';

const markerName = 'RELIGHT_LEAK_GUARD';
// A lazily unmounted connection or a reaped child is gone a moment later, not at once.
const settleMs = 5_000;
const detach = process.getuid?.() === 0 ? ['umount', '-l'] : ['fusermount3', '-u', '-z'];

const numbers = (folder: string): string[] => readdirSync(folder).filter((name) => /^\d+$/.test(name));

const readOrNothing = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

const markedProcesses = (marker: string): string[] =>
  numbers('/proc')
    .filter((pid) => Number(pid) !== process.pid)
    .filter((pid) => readOrNothing(() => readFileSync(`/proc/${pid}/environ`, 'latin1')).includes(marker))
    .map((pid) => `process ${pid}: ${commandOf(pid)}`);

const commandOf = (pid: string): string =>
  readOrNothing(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    .replaceAll('\0', ' ')
    .slice(0, 200);

/** Sockets, the FUSE device and seccomp listeners that this process has open. */
const ownDescriptors = (): string[] =>
  numbers('/proc/self/fd')
    .map((fd) => readOrNothing(() => readlinkSync(`/proc/self/fd/${fd}`)))
    .filter((target) => /^socket:|^\/dev\/fuse|seccomp/.test(target));

const leftIn = (folder: string): string[] => readdirSync(folder).map((name) => `temporary file ${name}`);

interface Watch {
  readonly marker: string;
  readonly temporary: string;
  readonly descriptors: ReadonlySet<string>;
}

const leaks = ({ marker, temporary, descriptors }: Watch, folder: string): string[] => [
  ...mountsUnder(folder).map(({ point, type }) => `mount ${point} (${type})`),
  ...markedProcesses(marker),
  ...ownDescriptors()
    .filter((target) => !descriptors.has(target))
    .map((target) => `descriptor ${target}`),
  ...leftIn(temporary),
];

/** What is left after a while of grace, [] when nothing. */
const settledLeaks = async (watch: Watch, folder: string, limitMs: number): Promise<string[]> => {
  try {
    await until('nothing left', () => leaks(watch, folder).length === 0, limitMs);
    return [];
  } catch {
    return leaks(watch, folder);
  }
};

/** Ends what leaked, so that one failing test does not spoil the next. */
const cleanUp = async (watch: Watch, folder: string): Promise<void> => {
  for (const line of markedProcesses(watch.marker)) process.kill(Number(/\d+/.exec(line)?.[0]), 'SIGKILL');
  for (const { point } of mountsUnder(folder)) await runProgram([...detach, point]);
  rmSync(folder, { recursive: true, force: true });
};

const withEnvironment = async (env: Record<string, string>, body: () => Promise<void>): Promise<void> => {
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]));
  Object.assign(process.env, env);
  try {
    await body();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
};

/**
 * Runs `body` with a folder of its own (removed afterwards) and with TMPDIR inside it, where nothing may remain.
 * @throws Error that lists what outlived the body; the leftovers are ended first
 */
export const guarded = async (body: (folder: string) => Promise<void>, graceMs = settleMs): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-test-'));
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  // Tests as an ordinary user work in the same folders.
  chmodSync(folder, 0o755);
  chmodSync(temporary, 0o1777);
  const marker = `${markerName}=${randomUUID()}`;
  const watch = { marker, temporary, descriptors: new Set(ownDescriptors()) };
  const env = { [markerName]: marker.slice(markerName.length + 1), TMPDIR: temporary };
  let left: string[] = [];
  try {
    await withEnvironment(env, () => body(folder));
    left = await settledLeaks(watch, folder, graceMs);
  } finally {
    await cleanUp(watch, folder);
  }
  if (left.length > 0) throw new Error(`left behind:\n  ${left.join('\n  ')}`);
};

/** vitest's `test`, guarded; gives the test a `folder` of its own that is removed afterwards. */
export const test = base.extend<{ folder: string }>({
  folder: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the parameter's names
    async ({}, use) => {
      await guarded(use);
    },
    { auto: true },
  ],
});
