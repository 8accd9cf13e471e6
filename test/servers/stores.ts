/**
 * Disposable backing stores: how each kind is filled with a tree and read back without the server under test. A store is a
 * folder that may be copied, changed and deleted.
 */

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../support/program.js';
import { bareSession } from './bare.js';

/** What a store may use. */
export interface StoreContext {
  /** The store's folder. */
  readonly store: string;
  /** The server's command with `{mnt}`, for stores that nothing else can fill or read. */
  readonly command: readonly string[];
}

/** One kind of backing store. */
export interface StoreKind {
  /** Fills the empty folder, so that the file system shows the content of the folder `tree`. */
  readonly prepare: (context: StoreContext, tree: string) => Promise<void>;
  /** Copies what the file system holds into the folder `into`, by other means than the server where there are any. */
  readonly readBack: (context: StoreContext, into: string) => Promise<void>;
}

const copyInto = async (from: string, into: string): Promise<void> => {
  await mustRun(['cp', '-a', `${from}/.`, into]);
};

/** Fills or reads a store through a mount of its own. */
const throughMount = async (command: readonly string[], workload: string): Promise<void> => {
  const { status, stderr } = await bareSession({ command, workload });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${workload} ended with ${status}\n${stderr}`);
};

const copyIn = (tree: string) =>
  `cp -r --no-dereference --preserve=mode,links,timestamps '${tree}/.' "$RELIGHT_MOUNT"`;
const copyOut = (into: string) => `cp -a "$RELIGHT_MOUNT/." '${into}'`;

/** `tree/`: an ordinary folder. */
const folder: StoreKind = {
  prepare: async ({ store }, tree) => {
    mkdirSync(join(store, 'tree'));
    await copyInto(tree, join(store, 'tree'));
  },
  readBack: ({ store }, into) => copyInto(join(store, 'tree'), into),
};

/** `a/` and `b/`: two folders to be shown as one; all files start in the first. */
const branches: StoreKind = {
  prepare: async ({ store }, tree) => {
    for (const branch of ['a', 'b']) mkdirSync(join(store, branch));
    await copyInto(tree, join(store, 'a'));
  },
  readBack: async ({ store }, into) => {
    for (const branch of ['a', 'b'])
      cpSync(join(store, branch), into, { recursive: true, verbatimSymlinks: true });
  },
};

/** `lower/`, `upper/` and `work/` of an overlay; whiteouts make the layers hard to read apart, so a mount reads them back. */
const overlay: StoreKind = {
  prepare: async ({ store }, tree) => {
    for (const layer of ['lower', 'upper', 'work']) mkdirSync(join(store, layer));
    await copyInto(tree, join(store, 'lower'));
  },
  readBack: ({ command }, into) => throughMount(command, copyOut(into)),
};

/** `image.squashfs`: read-only, uncompressed so that it is made at once. */
const squashfs: StoreKind = {
  prepare: async ({ store }, tree) => {
    const image = join(store, 'image.squashfs');
    await mustRun(['mksquashfs', tree, image, '-quiet', '-no-progress', '-noD', '-noF', '-all-root']);
  },
  readBack: async ({ store }, into) => {
    const image = join(store, 'image.squashfs');
    await mustRun(['unsquashfs', '-quiet', '-no-progress', '-force', '-dest', into, image]);
  },
};

/** `image.ext4`: 256 MiB, without a journal. */
const ext4: StoreKind = {
  prepare: async ({ store }, tree) => {
    const image = join(store, 'image.ext4');
    await mustRun([
      ...['/sbin/mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'root_owner', '-m', '0'],
      ...['-d', tree, image, '256M'],
    ]);
  },
  readBack: async ({ store }, into) => {
    await mustRun(['/sbin/debugfs', '-R', `rdump / ${into}`, join(store, 'image.ext4')]);
  },
};

/** `image.ntfs`: 256 MiB. */
const ntfs: StoreKind = {
  prepare: async ({ store, command }, tree) => {
    const image = join(store, 'image.ntfs');
    await mustRun(['truncate', '--size=256M', image]);
    await mustRun(['/sbin/mkntfs', '--quiet', '--force', '--fast', '--sector-size', '512', image]);
    await throughMount(command, copyIn(tree));
  },
  readBack: ({ command }, into) => throughMount(command, copyOut(into)),
};

/** Options of every gocryptfs start; the cheapest key derivation, and the password from a program, as nobody types. */
export const gocryptfsOptions = ['-q', '-nosyslog', '-extpass', 'echo relight'] as const;

/** `cipher/`: an encrypted folder. */
const gocryptfs: StoreKind = {
  prepare: async ({ store, command }, tree) => {
    const cipher = join(store, 'cipher');
    mkdirSync(cipher);
    await mustRun(['gocryptfs', '-init', '-scryptn', '10', ...gocryptfsOptions, cipher]);
    await throughMount(command, copyIn(tree));
  },
  readBack: ({ command }, into) => throughMount(command, copyOut(into)),
};

/** Every kind by its name. */
export const stores = { folder, branches, overlay, squashfs, ext4, ntfs, gocryptfs } as const;
