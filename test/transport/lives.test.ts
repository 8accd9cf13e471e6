import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { decodeReply } from '#relight/protocol/decode.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { replyContext } from '#relight/protocol/reply-context.js';
import { Connection } from '#relight/transport/connection.js';
import { guard } from '#relight/transport/guardian.js';
import { type LaunchEvents, Launcher, type LaunchOptions } from '#relight/transport/launch.js';
import type { RunningServer } from '#relight/transport/running-server.js';
import { buildExample } from '../servers/examples.js';
import { test } from '../support/leak-guard.js';
import { program, requires } from '../support/needs.js';
import { until } from '../support/until.js';

const START_MS = 20_000;

/** One server, with its end of the conversation. */
interface Life {
  readonly server: RunningServer;
  readonly launcher: Launcher;
  readonly connection: Connection;
}

/** Sends a request and waits for its reply. */
const ask = (connection: Connection, request: Uint8Array): Uint8Array => {
  let reply: Uint8Array | undefined;
  connection.send(request);
  for (const end = Date.now() + START_MS; reply === undefined && Date.now() < end; ) {
    const reception = connection.receive((message) => {
      reply = message.slice();
      return false;
    }, 20);
    if (reception === 'closed') throw new Error('the server closed its channel');
  }
  if (reply === undefined) throw new Error('no reply');
  return reply;
};

const init = encodeRequest(
  {
    name: 'INIT',
    header: { unique: 2n, len: 104 },
    fields: { major: 7, minor: 38, maxReadahead: 131072, flags: 0x03fffffb },
  },
  newestNegotiated,
);

const minorOf = (reply: Uint8Array): number | undefined => {
  const decoded = decodeReply(reply, replyContext(init, newestNegotiated), newestNegotiated);
  return decoded.kind === 'reply' && decoded.ok && decoded.name === 'INIT' ? decoded.fields.minor : undefined;
};

const lookup = (connection: Connection, unique: bigint, name: string): bigint => {
  const request = encodeRequest(
    { name: 'LOOKUP', header: { unique, nodeid: 1n }, fields: { name } },
    newestNegotiated,
  );
  const decoded = decodeReply(
    ask(connection, request),
    replyContext(request, newestNegotiated),
    newestNegotiated,
  );
  if (decoded.kind !== 'reply' || !decoded.ok || decoded.name !== 'LOOKUP') throw new Error('no entry');
  return decoded.fields.nodeid;
};

const start = async (launcher: Launcher, events: LaunchEvents = {}): Promise<Life> => {
  const server = await launcher.launch(events);
  const connection = new Connection(server.channel.ours, server.channel.maxMessage);
  expect(minorOf(ask(connection, init))).toBeGreaterThanOrEqual(12);
  launcher.handedOver();
  return { server, launcher, connection };
};

const finish = async ({ server, connection }: Life, graceMs: number) => {
  const exit = await server.end({ graceMs });
  connection.close();
  return exit;
};

const withLauncher = async (
  options: Omit<LaunchOptions, 'mode'>,
  body: (launcher: Launcher) => Promise<void>,
) => {
  const launcher = await Launcher.open({ mode: 'pretend', ...options });
  try {
    await body(launcher);
  } finally {
    await launcher.close();
  }
};

const store = (folder: string): string => {
  const path = join(folder, 'store');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'content\n');
  return path;
};

describe('a server that opens /dev/fuse itself', () => {
  test('meets our socket, believes that it mounted, and ends as it would', async ({ folder, skip }) => {
    requires({ skip }, program('bindfs'));
    const mounts: string[] = [];
    await withLauncher({ command: ['bindfs', '-f', store(folder), '{mnt}'] }, async (launcher) => {
      const life = await start(launcher, {
        onMounted: ({ request, error }) => mounts.push(`${request.type} ${request.target} ${error}`),
        onUnmounted: ({ target }) => mounts.push(`gone ${target}`),
      });
      expect(lookup(life.connection, 4n, 'file')).toBe(2n);
      expect(await finish(life, 5000)).toMatchObject({ code: 0, signal: undefined });
      expect(mounts).toEqual([`fuse ${launcher.mountPoint} 0`, `gone ${launcher.mountPoint}`]);
    });
  });

  test('is started again and again on the same threads', async ({ folder, skip }) => {
    requires({ skip }, program('bindfs'));
    await withLauncher({ command: ['bindfs', '-f', store(folder), '{mnt}'] }, async (launcher) => {
      for (let life = 0; life < 5; life++)
        expect(await finish(await start(launcher), 0)).toMatchObject({ signal: 'SIGKILL' });
    });
  });

  test('is followed into the background, and its daemon is ended', async ({ folder, skip }) => {
    requires({ skip }, program('bindfs'));
    await withLauncher({ command: ['bindfs', store(folder), '{mnt}'] }, async (launcher) => {
      const life = await start(launcher);
      await until(
        'the daemon',
        () => life.server.look() === undefined && life.server.servingPid !== life.server.pid,
      );
      expect(lookup(life.connection, 4n, 'file')).toBe(2n);
      expect(await finish(life, 5000)).toMatchObject({ pid: life.server.servingPid, code: 0 });
    });
  });

  test('goes through fusermount and is served all the same', { timeout: 60_000 }, async ({
    folder,
    skip,
  }) => {
    requires({ skip }, program('rclone'), program('fusermount3'));
    const command = ['rclone', 'mount', '--config', '/dev/null', store(folder), '{mnt}'];
    await withLauncher(
      { command, env: { PATH: process.env['PATH'] ?? '', HOME: folder } },
      async (launcher) => {
        const life = await start(launcher);
        expect(lookup(life.connection, 4n, 'file')).toBeGreaterThan(1n);
        await finish(life, 0);
      },
    );
  });
});

describe('a server that takes an open descriptor', () => {
  test('gets its end as {fd}', async ({ folder, skip }) => {
    requires({ skip }, program('gcc'));
    const example = await buildExample('passthrough_ll');
    await withLauncher(
      { command: [example, '-f', '-o', `source=${store(folder)}`, '/dev/fd/{fd}'] },
      async (launcher) => {
        expect(launcher.handsOver).toBe(true);
        await finish(await start(launcher), 0);
      },
    );
  });
});

describe('address randomisation', () => {
  test('off gives the same pointers at each start, on does not', async ({ folder, skip }) => {
    requires({ skip }, program('gcc'));
    const example = await buildExample('passthrough_ll');
    const command = [example, '-f', '-s', '-o', `source=${store(folder)}`, '{mnt}'];
    const idsOf = async (aslr: 'on' | 'off'): Promise<Set<bigint>> => {
      const ids = new Set<bigint>();
      await withLauncher({ command, aslr }, async (launcher) => {
        for (let life = 0; life < 3; life++) {
          const started = await start(launcher);
          ids.add(lookup(started.connection, 4n, 'file'));
          await finish(started, 0);
        }
      });
      return ids;
    };
    expect((await idsOf('off')).size).toBe(1);
    expect((await idsOf('on')).size).toBe(3);
  });
});

describe('a command that cannot be', () => {
  test('is told in one sentence', async () => {
    await withLauncher({ command: ['/nonexistent/server', '{mnt}'] }, async (launcher) => {
      await expect(launcher.launch()).rejects.toMatchObject({
        code: 'server',
        message: expect.stringContaining('cannot start /nonexistent/server'),
      });
    });
  });

  test('keeps the last lines of standard error', async () => {
    await withLauncher(
      { command: ['sh', '-c', 'echo one >&2; echo two >&2; exit 7', '{mnt}'] },
      async (launcher) => {
        const server = await launcher.launch();
        expect(await server.waitForExit(5000)).toMatchObject({ code: 7 });
        await until('the lines', () => server.stderr.lines().length === 2);
        expect(server.stderr.lines()).toEqual(['one', 'two']);
        new Connection(server.channel.ours, 4096).close();
        await server.end({ graceMs: 0 });
      },
    );
  });
});

describe('the guardian', () => {
  test('does nothing when it is dismissed', async ({ folder }) => {
    const directory = join(folder, 'kept');
    mkdirSync(directory);
    const dismiss = guard({ target: directory, device: '0:0', serverPid: 2 ** 22 - 1, directory });
    await dismiss();
    expect(existsSync(directory)).toBe(true);
  });
});
