/**
 * The state that a server starts from: copies of its backing directories, files and images, put back before each start
 * so that every run sees the same. Knows nothing of servers.
 */

import { lstat, mkdir, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RelightError } from '../base/error.js';
import { runShell } from '../transport/program.js';

/** Space that is left alone on the disk that takes the copies. */
const RESERVE_BYTES = 64 << 20;

/**
 * Copies with everything that a server may show: owners, times, extended attributes, holes, hard links, pipes and devices,
 * of which Node's own copying loses most. Blocks are shared where the file system can (reflink).
 */
const copy = async (from: string, to: string): Promise<void> => {
  const isDirectory = (await lstat(from)).isDirectory();
  if (isDirectory) await mkdir(to, { recursive: true });
  const { exit } = runShell('cp -a --reflink=auto --sparse=auto -- "$FROM" "$TO"', {
    env: { FROM: isDirectory ? `${from}/.` : from, TO: to },
    stdout: 'stderr',
  });
  const { code, signal } = await exit;
  if (code !== 0)
    throw new RelightError(
      'environment',
      `cannot copy ${from} to ${to}: ${signal ?? `cp ended with ${code}`}`,
    );
};

const sizeOf = async (path: string): Promise<number> => {
  const info = await lstat(path);
  if (!info.isDirectory()) return info.blocks * 512;
  const names = await readdir(path);
  const sizes = await Promise.all(names.map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, info.blocks * 512);
};

const refuse = (path: string, why: string, remedy: string): never => {
  throw new RelightError('environment', `cannot keep a copy of ${path}: ${why}`, { remedy });
};

/** Copies of some paths, and the way back to them. */
export class Snapshot {
  readonly #paths: readonly string[];
  readonly #folder: string;

  private constructor(paths: readonly string[], folder: string) {
    this.#paths = paths;
    this.#folder = folder;
  }

  /**
   * Copies the paths as they are now. Throws `usage` for a path that is not there, `environment` when the disk has no
   * room for the copies.
   */
  static async take(paths: readonly string[], folder: string = tmpdir()): Promise<Snapshot> {
    const absolute = paths.map((path) => resolve(path));
    for (const path of absolute)
      await stat(path).catch((cause: unknown) => {
        throw new RelightError('usage', `no such file or directory: ${path}`, {
          remedy: 'check --snapshot',
          cause,
        });
      });
    const place = await mkdtemp(join(folder, 'relight-snapshot-'));
    const snapshot = new Snapshot(absolute, place);
    try {
      await snapshot.#checkRoom();
      for (const [index, path] of absolute.entries()) await copy(path, join(place, String(index)));
      return snapshot;
    } catch (error) {
      await snapshot.discard();
      throw error;
    }
  }

  /**
   * Puts everything back as it was; what was added is removed. Directories and files stay the same inodes: servers hold them
   * open, and what confines a server may go by them.
   */
  async restore(): Promise<void> {
    for (const [index, path] of this.#paths.entries()) await putBack(join(this.#folder, String(index)), path);
  }

  /** Removes the copies. */
  async discard(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #checkRoom(): Promise<void> {
    const sizes = await Promise.all(this.#paths.map(sizeOf));
    const needed = sizes.reduce((sum, size) => sum + size, 0);
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize - RESERVE_BYTES < needed)
      refuse(
        this.#paths.join(', '),
        `${Math.ceil(needed / 2 ** 20)} MiB are needed, ${Math.floor((bavail * bsize) / 2 ** 20)} MiB free in ${this.#folder}`,
        'free some space or point TMPDIR at a larger disk',
      );
  }
}

const putBack = async (kept: string, path: string): Promise<void> => {
  if ((await lstat(kept)).isDirectory()) {
    const names = await readdir(path).catch(() => []);
    for (const name of names) await rm(join(path, name), { recursive: true, force: true });
  } else if ((await lstat(path).catch(() => undefined))?.isFile() === false)
    await rm(path, { recursive: true, force: true });
  await copy(kept, path);
};
