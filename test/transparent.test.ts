/**
 * Users of a mount notice nothing of a recording: real programs on every server of the catalogue leave the same files and
 * print the same, with relight and without; and the trace of it is complete.
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { bareSession } from './servers/bare.js';
import { type CatalogueServer, catalogue } from './servers/catalogue.js';
import { type PreparedServer, prepareServer, requireServer } from './servers/prepared.js';
import { completenessOf } from './support/completeness.js';
import { test } from './support/leak-guard.js';
import { requires, rootUser } from './support/needs.js';
import { giveToOrdinaryUser, ordinaryNode } from './support/ordinary-user.js';
import { type Finished, mustRun } from './support/program.js';
import { jsonOf, runRelight } from './support/relight.js';
import { root } from './support/root.js';

/** The three that serve an ordinary user: two that mount themselves, one that goes through fusermount3. */
const forOrdinaryUsers = ['bindfs', 'fuse-overlayfs', 'gocryptfs'];

interface Seen {
  readonly finished: Finished;
  /** What the programs printed. */
  readonly output: string;
  /** What was there in the end, seen through the mount. */
  readonly tree: string;
  /** What is in the store, seen without the mount. */
  readonly stored: string;
}

interface Setting {
  readonly server: CatalogueServer;
  readonly folder: string;
  readonly asUser: boolean;
}

type Run = (prepared: PreparedServer, workload: string) => Promise<Finished>;

const digestOf = async (prepared: PreparedServer, folder: string): Promise<string> => {
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  await prepared.readBack(copy);
  return mustRun(['bash', join(root, 'test/servers/workloads/digest.sh'), copy]);
};

const look = async ({ server, folder, asUser }: Setting, run: Run): Promise<Seen> => {
  mkdirSync(folder);
  const prepared = await prepareServer(server, folder, { asUser });
  const results = join(folder, 'results');
  const workload = prepared.workload(results);
  if (asUser) giveToOrdinaryUser(folder);
  const finished = await run(prepared, workload);
  expect(finished, finished.stderr).toMatchObject({ status: 0 });
  const read = (name: string) => readFileSync(join(results, name), 'utf8');
  return {
    finished,
    output: read('output'),
    tree: read('tree'),
    stored: await digestOf(prepared, folder),
  };
};

const compare = async (server: CatalogueServer, folder: string, asUser: boolean): Promise<void> => {
  const trace = join(folder, 'with', 'trace.rlt');
  const bare = await look({ server, folder: join(folder, 'without'), asUser }, ({ command }, workload) =>
    bareSession({ command, workload, asUser }),
  );
  const recorded = await look({ server, folder: join(folder, 'with'), asUser }, ({ command }, workload) =>
    runRelight(['record', '--json', '-o', trace, '--workload', workload, '--', ...command], { asUser }),
  );
  expect(recorded.output).toBe(bare.output);
  expect(recorded.tree).toBe(bare.tree);
  if (server.storesLate !== true) expect(recorded.stored).toBe(bare.stored);
  expect(bare.tree.length).toBeGreaterThan(1000);
  expectTrace(jsonOf(recorded.finished), trace);
};

/** The report agrees with the trace, and the trace is whole. */
const expectTrace = (report: Record<string, unknown>, trace: string): void => {
  const { problems, requests, replies } = completenessOf(trace);
  expect(problems.slice(0, 20)).toEqual([]);
  expect(requests).toBeGreaterThan(1000);
  expect(report).toMatchObject({ trace, dropped: 0, incarnations: 1, requests, replies });
};

describe('as root', () => {
  test.for(catalogue.map((server) => [server.name, server] as const))(
    '%s',
    { timeout: 240_000 },
    async ([, server], { folder, skip }) => {
      requires({ skip }, rootUser);
      requireServer({ skip }, server);
      await compare(server, folder, false);
    },
  );
});

describe('as an ordinary user', () => {
  const servers = catalogue.filter(({ name }) => forOrdinaryUsers.includes(name));
  test.for(servers.map((server) => [server.name, server] as const))(
    '%s',
    { timeout: 240_000 },
    async ([, server], { folder, skip }) => {
      requires({ skip }, ordinaryNode);
      requireServer({ skip }, server);
      await compare(server, folder, true);
    },
  );
});
