/**
 * What lies in a backing directory, by names, sizes, owners and times: enough to see that something was written, and cheap enough
 * to look after each batch. It knows neither servers nor requests.
 */

import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A look takes a few microseconds for each; what lies deeper than the first so many is not watched. */
const MOST_ENTRIES = 256;

const infoOf = (path: string): BigIntStats | undefined =>
  lstatSync(path, { bigint: true, throwIfNoEntry: false });

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    // Gone, or not for us to read: its own entry tells.
    return [];
  }
};

/** An entry that is not as it was. */
export interface StoreChange {
  /** From the top directory, beginning with '/'. */
  readonly path: string;
  /** Inode number that it had; absent for what is new. */
  readonly ino: bigint | undefined;
  /** What happened, in words. */
  readonly how: string;
}

/** The entries of a directory at one moment, the upper ones first. */
export class StoreTree {
  readonly #top: string;
  /** Directories of which all names were read. */
  readonly #directories: string[] = [];
  readonly #entries = new Map<string, BigIntStats>();

  /** Reads the tree as it is now; what cannot be read is left out. */
  constructor(top: string) {
    this.#top = top;
    const waiting = [''];
    for (let directory = waiting.shift(); directory !== undefined; directory = waiting.shift()) {
      const names = namesIn(join(top, directory));
      if (this.#entries.size + names.length > MOST_ENTRIES) continue;
      this.#directories.push(directory);
      for (const name of names) {
        const path = `${directory}/${name}`;
        const info = infoOf(join(top, path));
        if (info === undefined) continue;
        this.#entries.set(path, info);
        if (info.isDirectory()) waiting.push(path);
      }
    }
  }

  /** Whether there is an entry at a path that begins with '/'. */
  has(path: string): boolean {
    return this.#entries.has(path);
  }

  /** Inode number of the entry at a path. */
  inoOf(path: string): bigint | undefined {
    return this.#entries.get(path)?.ino;
  }

  /** What is different now. */
  changes(): StoreChange[] {
    const found: StoreChange[] = [];
    for (const [path, was] of this.#entries) {
      const how = difference(was, infoOf(join(this.#top, path)));
      if (how !== undefined) found.push({ path, ino: was.ino, how });
    }
    for (const directory of this.#directories)
      for (const name of namesIn(join(this.#top, directory))) {
        const path = `${directory}/${name}`;
        if (!this.has(path)) found.push({ path, ino: undefined, how: 'is new' });
      }
    return found;
  }
}

const difference = (was: BigIntStats, is: BigIntStats | undefined): string | undefined => {
  if (is === undefined) return 'is gone';
  if (is.ctimeNs === was.ctimeNs && is.ino === was.ino) return undefined;
  if (is.mode !== was.mode) return `mode 0${was.mode.toString(8)} became 0${is.mode.toString(8)}`;
  if (is.uid !== was.uid || is.gid !== was.gid) return 'has another owner';
  // Times of a directory change with its names, which are compared for themselves.
  if (is.isDirectory()) return undefined;
  if (is.size !== was.size) return `size ${was.size} became ${is.size}`;
  return is.mtimeNs === was.mtimeNs ? undefined : 'was written';
};
