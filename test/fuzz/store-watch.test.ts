import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Case } from '#relight/fuzz/case.js';
import { plainEnvironment } from '#relight/fuzz/environment.js';
import { Stage } from '#relight/fuzz/stage.js';
import { StoreWatch } from '#relight/fuzz/store-watch.js';
import { World } from '#relight/fuzz/world.js';
import { Bindings } from '#relight/plan/bindings.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { test } from '../support/leak-guard.js';
import { root } from '../support/root.js';
import { caseOf, Play, preparationOf } from './on-stage.js';

const names = { 'hello.txt': 'file', 'big.bin': 'file', docs: 'directory' } as const;

/** A watch over a folder that holds what the plan's lives look up, and a file besides. */
const watching = (folder: string, { isStoreChanged = false } = {}) => {
  for (const name of ['hello.txt', 'big.bin', 'bystander']) writeFileSync(join(folder, name), name);
  mkdirSync(join(folder, 'docs'));
  const play = new Play(names);
  const preparation = preparationOf(play.plan());
  const bindings = Bindings.of(preparation);
  for (const { id } of preparation.symbols) if (!bindings.isBound(id)) bindings.set(id, BigInt(id + 100));
  const era = { life: 1, negotiated: newestNegotiated, bindings, isStoreChanged };
  const world = new World(preparation, newestNegotiated);
  return { play, watch: new StoreWatch(folder, { world, era, bindings }) };
};

const played = (watch: StoreWatch, one: Case, { isDone = true } = {}): void =>
  watch.note([one], isDone ? one.requests : []);

describe('a watch over a store', () => {
  test('tells what nobody was to change, once', ({ folder }) => {
    const { watch } = watching(folder);
    expect(watch.changes()).toEqual([]);
    writeFileSync(join(folder, 'bystander'), 'other');
    writeFileSync(join(folder, 'docs/new'), '');
    rmSync(join(folder, 'big.bin'));
    expect(watch.changes().sort()).toEqual([
      '/big.bin is gone',
      '/bystander size 9 became 5',
      '/docs/new is new',
    ]);
    expect(watch.changes()).toEqual([]);
  });

  test('allows what ids and names of a request lead to', ({ folder }) => {
    const { play, watch } = watching(folder);
    played(watch, caseOf('SETATTR', { node: play.actor('hello.txt').live.node }), { isDone: false });
    played(watch, caseOf('MKNOD', { node: play.actor('docs').live.node }, { fields: { name: 'made' } }));
    writeFileSync(join(folder, 'hello.txt'), 'changed');
    writeFileSync(join(folder, 'docs/made'), '');
    writeFileSync(join(folder, '.fuse_hidden0001'), '');
    expect(watch.changes()).toEqual([]);
    writeFileSync(join(folder, 'docs/other'), '');
    expect(watch.changes()).toEqual(['/docs/other is new']);
  });

  test('says nothing of a store with other names once something was changed', ({ folder }) => {
    const { play, watch } = watching(folder, { isStoreChanged: true });
    played(watch, caseOf('SETATTR', { node: play.actor('hello.txt').live.node }), { isDone: false });
    writeFileSync(join(folder, 'bystander'), 'other');
    expect(watch.changes()).toEqual(['/bystander size 9 became 5']);
    played(watch, caseOf('SETATTR', { node: play.actor('hello.txt').live.node }));
    writeFileSync(join(folder, 'bystander'), 'yet another');
    expect(watch.changes()).toEqual([]);
  });
});

test('a stage finds a server that changes its store behind its own back', async ({ folder }) => {
  const [victim, store] = [join(folder, 'victim'), join(folder, 'store')];
  mkdirSync(store);
  const vandal = [process.execPath, join(root, 'test/fixtures/vandal-server.mjs'), '{mnt}', victim, store];
  const play = new Play({ 'hello.txt': 'file', 'big.bin': 'file' });
  const stage = await Stage.open({
    ...{ command: vandal, cwd: undefined, env: undefined, snapshot: [store], sandbox: undefined },
    ...{ checker: undefined, startTimeoutMs: 20_000, depth: 32, replyTimeoutMs: 3000 },
  });
  try {
    await stage.begin(() => preparationOf(play.plan()), plainEnvironment);
    const { live, old } = play.actor('hello.txt');
    await stage.play([caseOf('GETATTR', { node: live.node }, { relation: 'good' })]);
    expect(await stage.check()).toEqual([]);
    await stage.play([caseOf('GETATTR', { node: old.node })]);
    const [judgement] = await stage.check();
    expect(judgement?.signature).toBe('wrong-object GETATTR node');
    expect(judgement?.evidence.at(-1)).toBe('/was-here is new');
  } finally {
    await stage.close();
  }
});
