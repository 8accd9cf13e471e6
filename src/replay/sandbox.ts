/** What a server that is replayed may change: its store, as far as the orders tell what that is. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Sandbox } from '../transport/sandbox.js';

/** What tells about a server's store. */
export interface StoreOrders {
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** Copied before the replay, and put back after it. */
  readonly snapshot: readonly string[];
  /** What it may change besides. */
  readonly writable: readonly string[];
}

const isFileOrDirectory = (path: string): boolean => {
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isFile() === true || info?.isDirectory() === true;
};

/** Existing files and directories that the command's arguments name, also within `-o lowerdir=A:B,upperdir=C`. */
const namedBy = ([, ...args]: readonly string[], cwd: string): string[] =>
  args
    .flatMap((word) => [word, ...word.split(/[=,:]/)])
    .filter((word) => word !== '' && word !== '/')
    .map((word) => resolve(cwd, word))
    .filter(isFileOrDirectory);

/**
 * The limits of the server: it may change what `snapshot` and `writable` name, and where no snapshot is kept, what its own
 * arguments name, for a store without a copy must work as it does outside.
 */
export const sandboxFor = ({ command, cwd = '.', snapshot, writable }: StoreOrders): Sandbox => {
  const store = snapshot.length > 0 ? snapshot : namedBy(command, cwd);
  return { writable: [...new Set([...store, ...writable].map((path) => resolve(path)))] };
};
