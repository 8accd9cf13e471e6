/** A server of the catalogue, ready to be started on a store of its own. */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { program, realKernel, requires } from '../support/needs.js';
import { giveToOrdinaryUser } from '../support/ordinary-user.js';
import { root } from '../support/root.js';
import { built, type CatalogueServer } from './catalogue.js';
import { buildExample } from './examples.js';
import { fixtures } from './fixtures.js';
import { stores } from './stores.js';

/** What a test needs to start the server and look at what it did. */
export interface PreparedServer {
  /** The store's folder: all that the server changes lies in it. */
  readonly store: string;
  /** Foreground command; `{mnt}` still stands in it. */
  readonly command: readonly string[];
  /** Shell command of the workload of real programs: reads RELIGHT_MOUNT, writes `output` and `tree` into `results`. */
  readonly workload: (results: string) => string;
  /** Copies what the store holds now into an empty folder. */
  readonly readBack: (into: string) => Promise<void>;
}

/** Skips the test (in CI: fails it) unless the server's programs and a real kernel are there. */
export const requireServer = (context: Pick<TestContext, 'skip'>, server: CatalogueServer): void =>
  requires(context, realKernel, ...server.needs.map(program));

const expand = (command: readonly string[], store: string): string[] =>
  command.map((word) => word.replaceAll('{store}', store).replaceAll('{built}', built));

const compileIfNeeded = async ({ command }: CatalogueServer): Promise<void> => {
  const [name] = command;
  if (name?.startsWith('{built}/') === true) await buildExample(name.slice('{built}/'.length));
};

/** The tree that each kind of server starts with: the small one for those that are written to, all fixtures for readers. */
const treeFor = async ({ access }: CatalogueServer): Promise<string> =>
  access === 'writable' ? join(await fixtures(), 'tree') : fixtures();

/**
 * Fills a new store in `folder` with `tree` (the fixtures by default) and says how to run the server on it.
 * @throws Error when the store cannot be made, or when the row has no command for an ordinary user
 */
export const prepareServer = async (
  server: CatalogueServer,
  folder: string,
  { asUser = false, tree }: { readonly asUser?: boolean; readonly tree?: string } = {},
): Promise<PreparedServer> => {
  const store = join(folder, 'store');
  mkdirSync(store, { recursive: true });
  await compileIfNeeded(server);
  const kind = stores[server.store];
  await kind.prepare({ store, command: expand(server.command, store) }, tree ?? (await treeFor(server)));
  if (asUser) giveToOrdinaryUser(store);
  const words = asUser ? server.userCommand : server.command;
  if (words === undefined) throw new Error(`${server.name} has no command for an ordinary user`);
  return {
    store,
    command: expand(words, store),
    workload: await workloadOf(server),
    readBack: (into) => kind.readBack({ store, command: expand(server.command, store) }, into),
  };
};

const workloadOf = async ({ access, lacks = [] }: CatalogueServer): Promise<PreparedServer['workload']> => {
  const script = join(root, 'test/servers/workloads', access === 'writable' ? 'write.sh' : 'read.sh');
  const source = await fixtures();
  return (results) => {
    if (!existsSync(results)) mkdirSync(results);
    return `LACKS='${lacks.join(' ')}' bash '${script}' '${source}' '${results}'`;
  };
};
