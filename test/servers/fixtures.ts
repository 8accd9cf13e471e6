/**
 * The files that workloads start from, the same on every machine: a small tree with awkward names, a git repository, a
 * database and 64 MiB that do not compress. Made once and kept in the cache folder.
 */

import { createCipheriv } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../support/program.js';
import { cache, root } from '../support/root.js';

// Raise it when what is made below changes: an older folder is left alone and no longer used.
const version = 2;
const mebibyte = 1 << 20;
const workloads = join(root, 'test/servers/workloads');

/** Bytes that look random and are the same for the same key. */
const noise = (key: string, length: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16, key), Buffer.alloc(16)).update(Buffer.alloc(length));

const makeTree = (tree: string): void => {
  const write = (name: string, content: string | Buffer) => writeFileSync(join(tree, name), content);
  for (const folder of ['sub/deep/er', 'many', 'sub/empty folder'])
    mkdirSync(join(tree, folder), { recursive: true });
  write('README', 'A small tree.\n');
  write('empty', '');
  write('run', '#!/bin/sh\necho ran\n');
  chmodSync(join(tree, 'run'), 0o755);
  write('a name with spaces, ümläuts and 日本', 'text\n');
  write(`sub/${'long'.repeat(50)}`, 'a name of 200 bytes\n');
  write('sub/deep/er/page', noise('page', 4096));
  write('sub/deep/er/odd', noise('odd', mebibyte + 17));
  for (let i = 0; i < 100; i++) write(`many/file-${i}`, `${'x'.repeat(i * 13)}\n`);
  linkSync(join(tree, 'README'), join(tree, 'sub/README.hard'));
  symlinkSync('../README', join(tree, 'sub/inside.link'));
  symlinkSync('nowhere/at/all', join(tree, 'dangling.link'));
};

const makeRepository = (folder: string): Promise<string> =>
  mustRun(['bash', join(root, 'test/servers/make-repository.sh'), join(folder, 'repository.git')]);

const make = async (folder: string): Promise<void> => {
  mkdirSync(join(folder, 'tree'));
  makeTree(join(folder, 'tree'));
  await mustRun([
    ...['tar', '--sort=name', '--mtime=@1577934245', '--owner=0', '--group=0', '--numeric-owner'],
    ...['-cf', join(folder, 'tree.tar'), '-C', join(folder, 'tree'), '.'],
  ]);
  await makeRepository(folder);
  await mustRun(['sqlite3', join(folder, 'sample.db'), `.read ${join(workloads, 'write.sql')}`]);
  writeFileSync(join(folder, 'big.bin'), noise('big', 64 * mebibyte));
};

/**
 * Absolute path of the folder with `tree/`, `tree.tar`, `repository.git`, `sample.db` and `big.bin`.
 * Readable by every user, to be changed by nobody.
 */
export const fixtures = async (): Promise<string> => {
  const folder = join(cache, `fixtures-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'fixtures-draft-'));
  chmodSync(draft, 0o755);
  await make(draft);
  publish(draft, folder);
  return folder;
};

/** Two test files may make the fixtures at the same time; the first one's stay. */
const publish = (draft: string, folder: string): void => {
  try {
    renameSync(draft, folder);
  } catch {
    rmSync(draft, { recursive: true });
  }
};
