/** Known changes to a directory-backed store while its server is down: what makes ids that only happen to repeat show. */

import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RelightError } from '../base/error.js';

/** What is changed, in the order of names of the store's top directory. */
export const whileDownChanges = ['add-first', 'delete', 'replace', 'rename'] as const;
/** See `whileDownChanges`. */
export type WhileDownChange = (typeof whileDownChanges)[number];

/** Sorts before every ordinary name. */
const FIRST_NAME = '!relight-added-first';
const NEW_CONTENT = 'relight: another file, made while the server was down\n';

const regularFiles = async (store: string): Promise<string[]> => {
  const entries = await readdir(store, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
};

const firstFile = async (store: string, change: WhileDownChange): Promise<string> => {
  const [name] = await regularFiles(store);
  if (name === undefined)
    throw new RelightError('usage', `--while-down ${change}: no regular file directly in ${store}`, {
      remedy: 'name a directory with files by --snapshot, or change the store by --between',
    });
  return join(store, name);
};

/** Another file under the same name: removed first, so that the file system below may give the inode number again. */
const replace = async (path: string): Promise<void> => {
  const { length } = await readFile(path);
  await rm(path);
  await writeFile(
    path,
    NEW_CONTENT.repeat(Math.max(1, Math.ceil(length / NEW_CONTENT.length))).slice(0, Math.max(1, length)),
  );
};

const changes: Readonly<Record<WhileDownChange, (store: string) => Promise<string>>> = {
  'add-first': async (store) => {
    await writeFile(join(store, FIRST_NAME), NEW_CONTENT);
    return `added ${FIRST_NAME}`;
  },
  delete: async (store) => {
    const path = await firstFile(store, 'delete');
    await rm(path);
    return `deleted ${path}`;
  },
  replace: async (store) => {
    const path = await firstFile(store, 'replace');
    await replace(path);
    return `replaced ${path} by another file`;
  },
  rename: async (store) => {
    const path = await firstFile(store, 'rename');
    await rename(path, `${path}.renamed`);
    return `renamed ${path}`;
  },
};

/** Changes the store; says what was done. Throws `usage` when the store is no directory or has nothing to change. */
export const changeStore = async (store: string, change: WhileDownChange): Promise<string> => {
  const info = await stat(store).catch(() => undefined);
  if (info?.isDirectory() !== true)
    throw new RelightError('usage', `--while-down needs a directory, not ${store}`, {
      remedy: 'for images use --between with a command such as debugfs',
    });
  return changes[change](store);
};
