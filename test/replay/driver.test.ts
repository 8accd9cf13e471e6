/** What ends a drive, with small servers of which nothing but one fault is to be expected. */

import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { type DriveEnd, Driver } from '#relight/replay/driver.js';
import { silenceOf } from '#relight/replay/silence.js';
import { Launcher } from '#relight/transport/launch.js';
import { test } from '../support/leak-guard.js';
import { root } from '../support/root.js';

/** Starts a fixture, has it driven, and ends it. */
const driven = async (
  fixture: string,
  use: (driver: Driver) => Promise<DriveEnd>,
  replyTimeoutMs = 300,
): Promise<DriveEnd> => {
  const command = [process.execPath, join(root, 'test/fixtures', fixture), '{fd}'];
  const launcher = await Launcher.open({ command, mode: 'pretend', aslr: 'on' });
  const kernel = new VirtualKernel({ letGo: 'given' });
  const driver = new Driver({ launcher, kernel, depth: 4, replyTimeoutMs, startTimeoutMs: 10_000 });
  try {
    expect(await driver.start()).toEqual({ kind: 'done' });
    return await use(driver);
  } finally {
    await driver.stop('SIGKILL');
    await launcher.close();
  }
};

const getattr = (kernel: VirtualKernel): Uint8Array =>
  encodeRequest({ name: 'GETATTR', header: { unique: 0n, nodeid: 1n } }, kernel.negotiated);

/** Sends one request. */
const once = (driver: Driver): Promise<DriveEnd> => {
  let request: Uint8Array | undefined = getattr(driver.kernel);
  let isDone = false;
  return driver.drive({
    next: () => {
      const bytes = request;
      request = undefined;
      return bytes === undefined ? undefined : { bytes, tag: 1 };
    },
    isDone: () => isDone,
    hear: ({ kind }) => {
      if (kind === 'replied') isDone = true;
    },
  });
};

describe('a server that sends notifications and answers nothing', () => {
  test('hangs', { timeout: 20_000 }, async () => {
    expect(await driven('noisy-server.mjs', once)).toEqual({ kind: 'hang' });
  });

  test('hangs for questions, too', { timeout: 20_000 }, async () => {
    const end = await driven('noisy-server.mjs', async (driver) => {
      const answer = await driver.ask(getattr(driver.kernel));
      return answer instanceof Uint8Array ? { kind: 'done' } : answer;
    });
    expect(end).toEqual({ kind: 'hang' });
  });

  test('is asked for its root when nothing was sent later', { timeout: 20_000 }, async () => {
    await driven('noisy-server.mjs', async (driver) => {
      const later = { answered: 0, unanswered: 1 };
      expect(await silenceOf(driver, 300)).toEqual({ kind: 'silence', waitedMs: 300, later });
      return { kind: 'done' };
    });
  });
});

describe('a server that answers', () => {
  test('is not said to hang as a whole', { timeout: 20_000 }, async () => {
    await driven('garbage-server.mjs', async (driver) => {
      const later = { answered: 1, unanswered: 0 };
      expect(await silenceOf(driver, 300)).toEqual({ kind: 'silence', waitedMs: 300, later });
      return { kind: 'done' };
    });
  });
});
