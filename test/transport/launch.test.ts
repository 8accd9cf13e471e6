/** Real servers that only believe to be mounted: no /dev/fuse, no root, nothing left. */

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { decodeReply, decodeRequest } from '#relight/protocol/decode.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { closeEnd } from '#relight/transport/channel.js';
import { Connection } from '#relight/transport/connection.js';
import { Launcher, type LaunchOptions } from '#relight/transport/launch.js';
import { mapsOf } from '#relight/transport/proc.js';
import type { RunningServer } from '#relight/transport/running-server.js';
import { catalogue } from '../servers/catalogue.js';
import { prepareServer } from '../servers/prepared.js';
import { test } from '../support/leak-guard.js';
import { mountsUnder } from '../support/mounts.js';
import { program, requires } from '../support/needs.js';
import { until } from '../support/until.js';

/** All features of the first 24 bits but splice and FILE_OPS; some servers refuse a kernel that offers less. */
const ordinaryFlags = 0xfffc7b;

const init = encodeRequest(
  {
    name: 'INIT',
    header: { unique: 2n },
    fields: { major: 7, minor: 38, maxReadahead: 131072, flags: ordinaryFlags, flags2: 0 },
  },
  newestNegotiated,
);

/** Answers to one INIT; the minor that the server settled for. */
const shakeHands = async (connection: Connection): Promise<number> => {
  expect(connection.send(init)).toBe('sent');
  let reply: Uint8Array | undefined;
  await until('the reply to INIT', () => {
    connection.receive((message) => {
      reply = message.slice();
      return false;
    }, 1);
    return reply !== undefined;
  });
  const request = decodeRequest(init, newestNegotiated);
  if (request.kind === 'decodeError') throw new Error('our own INIT does not decode');
  const answer = decodeReply(reply ?? new Uint8Array(), request, newestNegotiated);
  expect(answer).toMatchObject({ kind: 'reply', name: 'INIT', ok: true });
  return answer.kind === 'reply' && answer.name === 'INIT' && answer.ok ? answer.fields.minor : 0;
};

interface Session {
  readonly server: RunningServer;
  readonly connection: Connection;
  readonly minor: number;
}

const start = async (launcher: Launcher): Promise<Session> => {
  const server = await launcher.launch();
  const connection = new Connection(server.channel.ours, server.channel.maxMessage);
  const minor = await shakeHands(connection);
  launcher.handedOver();
  return { server, connection, minor };
};

const stop = async ({ server, connection }: Session) => {
  const exit = await server.end({ graceMs: 0 });
  connection.close();
  return exit;
};

const withLauncher = async (
  options: Omit<LaunchOptions, 'mode'>,
  body: (launcher: Launcher) => Promise<void>,
): Promise<void> => {
  const launcher = await Launcher.open({ mode: 'pretend', stdout: 'ignore', ...options });
  try {
    await body(launcher);
  } finally {
    await launcher.close();
  }
};

const bindfs = (folder: string, ...options: string[]): string[] => {
  const source = join(folder, 'source');
  mkdirSync(source, { recursive: true });
  return ['bindfs', ...options, source, '{mnt}'];
};

describe('interposition', () => {
  test.for(catalogue.map((server) => [server.name, server] as const))(
    '%s answers INIT over a socket',
    { timeout: 60_000 },
    async ([, server], { folder, skip }) => {
      requires({ skip }, ...server.needs.map(program));
      const { command } = await prepareServer(server, folder);
      await withLauncher({ command }, async (launcher) => {
        const session = await start(launcher);
        expect(session.minor).toBeGreaterThanOrEqual(8);
        expect(mountsUnder(launcher.mountPoint ?? '')).toEqual([]);
        await stop(session);
      });
      expect(readdirSync(tmpdir())).toEqual([]);
    },
  );

  test('a server that becomes a daemon is followed and ended', async ({ folder, skip }) => {
    requires({ skip }, program('bindfs'));
    await withLauncher({ command: bindfs(folder) }, async (launcher) => {
      const session = await start(launcher);
      await until(
        'the daemon',
        () => session.server.look() === undefined && session.server.servingPid !== session.server.pid,
      );
      expect(await stop(session)).toMatchObject({ signal: 'SIGKILL' });
    });
  });

  test('twenty starts leave no descriptor, process or directory more', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    requires({ skip }, program('bindfs'));
    await withLauncher({ command: bindfs(folder, '-f') }, async (launcher) => {
      await stop(await start(launcher));
      const before = readdirSync('/proc/self/fd').length;
      for (let i = 0; i < 20; i++) await stop(await start(launcher));
      expect(readdirSync('/proc/self/fd').length).toBe(before);
    });
  });

  test('a server that is asked to leave does, and says how', async ({ folder, skip }) => {
    requires({ skip }, program('bindfs'));
    await withLauncher({ command: bindfs(folder, '-f') }, async (launcher) => {
      const { server, connection } = await start(launcher);
      server.signal('SIGTERM');
      expect(await server.waitForExit(5000)).toMatchObject({ signal: undefined });
      await server.end({ graceMs: 0 });
      connection.close();
    });
  });

  test('without address randomisation, memory lies the same at each start', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    requires({ skip }, program('bindfs'));
    const heaps = async (aslr: 'on' | 'off'): Promise<Set<bigint | undefined>> => {
      const found = new Set<bigint | undefined>();
      await withLauncher({ command: bindfs(folder, '-f'), aslr }, async (launcher) => {
        for (let i = 0; i < 3; i++) {
          const session = await start(launcher);
          found.add(mapsOf(session.server.servingPid).find(({ path }) => path === '[heap]')?.start);
          await stop(session);
        }
      });
      return found;
    };
    expect((await heaps('off')).size).toBe(1);
    expect((await heaps('on')).size).toBeGreaterThan(1);
  });

  test('a command that does not exist is an error that names it', async () => {
    await withLauncher({ command: ['relight-no-such-server', '{mnt}'] }, async (launcher) => {
      await expect(launcher.launch()).rejects.toThrow('relight-no-such-server');
    });
  });

  test('an empty command is misuse', async () => {
    await expect(Launcher.open({ command: [], mode: 'pretend' })).rejects.toMatchObject({ code: 'usage' });
  });

  test('environment, working directory and standard error are the server’s', async ({ folder }) => {
    const command = ['bash', '-c', 'echo "$PWD $RELIGHT_TEST_WORD" >&2; exit 7'];
    await withLauncher(
      { command, cwd: folder, env: { RELIGHT_TEST_WORD: 'word', PATH: process.env['PATH'] ?? '' } },
      async (launcher) => {
        const server = await launcher.launch();
        launcher.handedOver();
        expect(await server.waitForExit(5000)).toMatchObject({ code: 7 });
        await until('its last line', () => server.stderr.lines().length > 0);
        expect(server.stderr.lines()).toEqual([`${folder} word`]);
        await server.end({ graceMs: 0 });
        closeEnd(server.channel.ours);
      },
    );
  });
});

test('the mount point that stood for {mnt} is gone at the end', async ({ folder, skip }) => {
  requires({ skip }, program('bindfs'));
  let point: string | undefined;
  await withLauncher({ command: bindfs(folder, '-f') }, async (launcher) => {
    point = launcher.mountPoint;
    await stop(await start(launcher));
  });
  expect(point === undefined || existsSync(point)).toBe(false);
});
