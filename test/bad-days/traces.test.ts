/**
 * Traces that are not as they were written, or come from a stranger: a clear word or as much as can be had, never a stack,
 * never endless, and never the command that is in them.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { FORMAT_VERSION, Kind, MAGIC } from '#relight/trace/format.js';
import { relight } from '#relight/trace/generated/schema.js';
import { sealRecord } from '#relight/trace/record.js';
import { guarded, test } from '../support/leak-guard.js';
import { program, realKernel, requires } from '../support/needs.js';
import { type Finished, mustRun } from '../support/program.js';
import { runRelight } from '../support/relight.js';

const verbs = ['show', 'stats', 'repair'] as const;
const seed = 20_260_101;

/** A trace of a command that would leave a file behind if somebody ran it again. */
const sample: { bytes: Buffer; ranBy: string } = { bytes: Buffer.alloc(0), ranBy: '' };
const needs = [realKernel, program('bindfs')];
const canRecord = needs.every(({ missing }) => missing() === undefined);

beforeAll(async () => {
  if (!canRecord) return;
  await guarded(async (folder) => {
    sample.ranBy = `${folder}-ran`;
    const source = join(folder, 'source');
    mkdirSync(source);
    for (let i = 0; i < 200; i++) writeFileSync(join(source, `file-${i}`), `content ${i}\n`);
    const server = [
      'bash',
      '-c',
      `touch ${sample.ranBy}; exec "$@"`,
      'server',
      'bindfs',
      '-f',
      source,
      '{mnt}',
    ];
    const trace = join(folder, 'trace.rlt');
    const workload = 'ls -l "$RELIGHT_MOUNT" >/dev/null; cat "$RELIGHT_MOUNT"/* >/dev/null';
    const finished = await runRelight(['record', '-o', trace, '--workload', workload, '--', ...server]);
    expect(finished.status, finished.stderr).toBe(0);
    sample.bytes = readFileSync(trace);
    await mustRun(['rm', sample.ranBy]);
  });
});

/** Recovery (0) or refusal (2), in words. */
const expectWords = ({ status, stderr, timedOut }: Finished, what: string): void => {
  expect({ what, timedOut }).toEqual({ what, timedOut: false });
  expect([0, 2], `${what}: ${stderr}`).toContain(status);
  expect(stderr, what).not.toMatch(/^\s+at .*\.js:\d+/m);
  if (status === 2) expect(stderr, what).not.toBe('');
  expect(existsSync(sample.ranBy), `${what}: its command ran`).toBe(false);
};

const tryAll = async (folder: string, what: string, bytes: Uint8Array): Promise<Finished[]> => {
  const results: Finished[] = [];
  for (const verb of verbs) {
    const path = join(folder, `${verb}.rlt`);
    writeFileSync(path, bytes);
    const finished = await runRelight([verb, path], { limitMs: 30_000 });
    expectWords(finished, `${verb} of ${what}`);
    results.push(finished);
  }
  return results;
};

const flipped = (at: number, bit: number): Buffer => {
  const bytes = Buffer.from(sample.bytes);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
};

describe('files that are no trace', () => {
  test('empty, foreign, text, a folder, absent', { timeout: 120_000 }, async ({ folder }) => {
    const foreign = {
      'an empty file': Buffer.alloc(0),
      'an ELF program': readFileSync('/bin/true'),
      'a text': Buffer.from('not a trace\n'.repeat(1000)),
      zeroes: Buffer.alloc(1 << 16),
    };
    for (const [what, bytes] of Object.entries(foreign)) {
      for (const { status } of await tryAll(folder, what, bytes)) expect(status, what).toBe(2);
    }
    for (const path of [folder, join(folder, 'absent.rlt')]) {
      const finished = await runRelight(['show', path]);
      expectWords(finished, path);
      expect(finished.status, path).toBe(2);
    }
  });
});

describe('a trace of the future', () => {
  test('its version is named, and what to do', async ({ folder }) => {
    const header = relight.trace.Header.encode({ formatVersion: FORMAT_VERSION + 1 }).finish();
    const record = sealRecord(Buffer.alloc(8, 7), Kind.header, [header]);
    for (const { status, stderr } of await tryAll(
      folder,
      'a newer format',
      Buffer.concat([MAGIC, ...record]),
    )) {
      expect(status).toBe(2);
      expect(stderr).toMatch(new RegExp(`format ${FORMAT_VERSION + 1}[\\s\\S]*newer`));
    }
  });
});

describe('traces that were damaged', () => {
  test('cut short anywhere', { timeout: 240_000 }, async ({ folder, skip }) => {
    requires({ skip }, ...needs);
    const { length } = sample.bytes;
    for (const kept of [1, 7, 8, 9, 64, length >> 3, length >> 1, length - 100, length - 1]) {
      await tryAll(folder, `its first ${kept} bytes of ${length}`, sample.bytes.subarray(0, kept));
    }
  });

  test('one bit flipped', { timeout: 240_000 }, async ({ folder, skip }) => {
    requires({ skip }, ...needs);
    const random = rng(seed);
    for (let i = 0; i < 16; i++) {
      const [at, bit] = [random.int(0, sample.bytes.length - 1), random.int(0, 7)];
      await tryAll(folder, `bit ${bit} of byte ${at} flipped`, flipped(at, bit));
    }
  });

  test('garbage appended, and the middle missing', { timeout: 120_000 }, async ({ folder, skip }) => {
    requires({ skip }, ...needs);
    const { bytes } = sample;
    const third = Math.floor(bytes.length / 3);
    await tryAll(folder, 'garbage at the end', Buffer.concat([bytes, Buffer.alloc(1000, 0xa5)]));
    const hole = Buffer.concat([bytes.subarray(0, third), bytes.subarray(2 * third)]);
    await tryAll(folder, 'a hole', hole);
  });
});
