/** Stores around a replay: put back as they were, changed while the server is down. */

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Snapshot } from '#relight/replay/snapshot.js';
import { Store } from '#relight/replay/store.js';
import { changeStore, whileDownChanges } from '#relight/replay/while-down.js';
import { test } from '../support/leak-guard.js';

const makeStore = (folder: string): string => {
  const store = join(folder, 'store');
  mkdirSync(join(store, 'sub'), { recursive: true });
  writeFileSync(join(store, 'b'), 'bee');
  writeFileSync(join(store, 'c'), 'sea');
  symlinkSync('b', join(store, 'link'));
  utimesSync(join(store, 'b'), 1e9, 1e9);
  return store;
};

const usual = { setup: undefined, between: undefined, whileDown: undefined, cwd: undefined };

describe('snapshot', () => {
  test('puts a directory back: contents, names and times, in the same inode', async ({ folder }) => {
    const store = makeStore(folder);
    const { ino } = statSync(store);
    const snapshot = await Snapshot.take([store]);
    writeFileSync(join(store, 'b'), 'spoilt');
    rmSync(join(store, 'c'));
    writeFileSync(join(store, 'new'), '');
    await snapshot.restore();
    expect(readdirSync(store).sort()).toEqual(['b', 'c', 'link', 'sub']);
    expect(readFileSync(join(store, 'b'), 'utf8')).toBe('bee');
    expect(statSync(join(store, 'b')).mtimeMs).toBe(1e12);
    expect(statSync(store).ino).toBe(ino);
    await snapshot.discard();
  });

  test('puts a file back, even one that is gone', async ({ folder }) => {
    const image = join(makeStore(folder), 'b');
    const snapshot = await Snapshot.take([image]);
    rmSync(image);
    await snapshot.restore();
    expect(readFileSync(image, 'utf8')).toBe('bee');
    await snapshot.discard();
  });

  test('a path that is not there is a usage error, and leaves nothing', async ({ folder }) => {
    await expect(Snapshot.take([join(folder, 'absent')])).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('while the server is down', () => {
  test.for(whileDownChanges)('%s', async (change, { folder }) => {
    const store = makeStore(folder);
    expect(await changeStore(store, change)).toMatch(/^(added|deleted|replaced|renamed) /);
    const names = readdirSync(store).sort();
    const expected = {
      'add-first': ['!relight-added-first', 'b', 'c', 'link', 'sub'],
      delete: ['c', 'link', 'sub'],
      replace: ['b', 'c', 'link', 'sub'],
      rename: ['b.renamed', 'c', 'link', 'sub'],
    };
    expect(names).toEqual(expected[change]);
    if (change === 'replace') expect(readFileSync(join(store, 'b'), 'utf8')).toBe('rel');
  });

  test('an image cannot be changed so, and an empty directory has nothing to delete', async ({ folder }) => {
    const store = makeStore(folder);
    await expect(changeStore(join(store, 'b'), 'delete')).rejects.toMatchObject({ code: 'usage' });
    await expect(changeStore(join(store, 'sub'), 'delete')).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('store', () => {
  test('runs its commands, starts afresh each time, and ends as it began', async ({ folder }) => {
    const path = makeStore(folder);
    const options = { ...usual, snapshot: [path], setup: 'echo s >>set', between: 'echo t >>b', cwd: path };
    const store = await Store.open(options);
    await store.prepare();
    expect(await store.change()).toEqual(['ran echo t >>b']);
    expect(readFileSync(join(path, 'b'), 'utf8')).toBe('beet\n');
    await store.prepare();
    expect(readFileSync(join(path, 'set'), 'utf8')).toBe('s\n');
    await store.close();
    expect(readdirSync(path).sort()).toEqual(['b', 'c', 'link', 'sub']);
  });

  test('a command that fails, or nothing to change, is an error that says so', async () => {
    const store = await Store.open({ ...usual, snapshot: [], between: 'exit 3' });
    await expect(store.change()).rejects.toMatchObject({ code: 'server' });
    expect(store.isDisposable).toBe(false);
    await expect(Store.open({ ...usual, snapshot: [], whileDown: 'delete' })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
