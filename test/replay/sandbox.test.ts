/** Replays of a server that destroys what it can reach when it meets a stale id. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { sandboxFor } from '#relight/replay/sandbox.js';
import { test } from '../support/leak-guard.js';
import { requires, rootUser } from '../support/needs.js';
import { giveToOrdinaryUser, ordinaryNode } from '../support/ordinary-user.js';
import { jsonOf, runRelight } from '../support/relight.js';
import { root } from '../support/root.js';

interface Aftermath {
  readonly victim: boolean;
  readonly wasHere: boolean;
  readonly verdicts: unknown;
  readonly notes: readonly string[];
}

/** Tours the vandal, replays that with a restart, and says what is left. `{fd}` for a mount point hands the channel over. */
const aftermath = async (
  folder: string,
  {
    options,
    mountPoint = '{mnt}',
    asUser = false,
  }: { readonly options: readonly string[]; readonly mountPoint?: string; readonly asUser?: boolean },
): Promise<Aftermath> => {
  const [victim, store, trace] = ['victim', 'store', 't.rlt'].map((name) => join(folder, name));
  if (victim === undefined || store === undefined || trace === undefined) throw new Error('no names');
  writeFileSync(victim, '');
  if (!existsSync(store)) mkdirSync(store);
  const server = [process.execPath, join(root, 'test/fixtures/vandal-server.mjs'), mountPoint, victim, store];
  if (asUser) giveToOrdinaryUser(folder);
  expect(await runRelight(['tour', '-o', trace, '--', ...server], { asUser })).toMatchObject({ status: 0 });
  expect(existsSync(victim)).toBe(true);
  const words = options.map((word) => word.replace('{store}', store));
  const done = await runRelight([
    'replay',
    trace,
    '--json',
    '--restart-at',
    'end',
    ...words,
    '--',
    ...server,
  ]);
  const { verdicts, notes } = jsonOf(done);
  return {
    victim: existsSync(victim),
    wasHere: existsSync(join(store, 'was-here')),
    verdicts,
    notes: [notes].flat().map(String),
  };
};

const probing = ['--relookup', 'none', '--probe', 'read', '--probe-limit', '1'];
const rejects = expect.objectContaining({ rejected: expect.any(Number) });

describe('what a server may change', () => {
  const orders = { cwd: undefined, snapshot: [], writable: [] };

  test('is what its arguments name, existing files and directories', ({ folder }) => {
    for (const name of ['a', 'b', 'c']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'image'), '');
    const command = ['/bin/sh', '-f', '-o', `lowerdir=${folder}/a:${folder}/b,upperdir=${folder}/c`, 'image'];
    const { writable } = sandboxFor({
      ...orders,
      command: [...command, '/dev/null', '/', '{mnt}'],
      cwd: folder,
    });
    expect(writable).toEqual(['a', 'b', 'c', 'image'].map((name) => join(folder, name)));
  });

  test('is the snapshot when there is one, and what is said to be writable', () => {
    const given = { ...orders, command: ['sh', '/usr'], snapshot: ['/var'], writable: ['/opt/x'] };
    expect(sandboxFor(given).writable).toEqual(['/var', '/opt/x']);
  });
});

describe('a server that deletes files when it meets a stale id', { timeout: 90_000 }, () => {
  for (const mountPoint of ['{mnt}', '/dev/fd/{fd}'])
    test(`${mountPoint}: deletes nothing outside its store`, async ({ folder, skip }) => {
      requires({ skip }, rootUser);
      // The store is not put back, for then nobody would know that the server was at work.
      const options = [...probing, '--snapshot', join(folder, 'store')];
      const left = await aftermath(folder, { mountPoint, options });
      expect(left).toEqual({ victim: true, wasHere: false, verdicts: rejects, notes: [] });
    });

  test('changes what is said to be writable', async ({ folder, skip }) => {
    requires({ skip }, rootUser);
    mkdirSync(join(folder, 'other'));
    const options = [...probing, '--snapshot', join(folder, 'other'), '--writable', '{store}'];
    expect(await aftermath(folder, { options })).toMatchObject({
      victim: true,
      wasHere: true,
      verdicts: rejects,
    });
  });

  test('changes what its command names when there is no snapshot', async ({ folder, skip }) => {
    requires({ skip }, rootUser);
    // The victim is named, too: a bind mount cannot be deleted, only emptied.
    const left = await aftermath(folder, { options: probing });
    expect(left).toMatchObject({ victim: true, wasHere: true });
  });

  test('deletes nothing else as an ordinary user, either', async ({ folder, skip }) => {
    requires({ skip }, ordinaryNode);
    mkdirSync(join(folder, 'other'));
    const options = [...probing, '--snapshot', join(folder, 'other'), '--writable', '{store}'];
    const left = await aftermath(folder, { options, asUser: true });
    if (left.notes.some((note) => note.startsWith('no sandbox'))) skip('this kernel has no Landlock');
    expect(left).toEqual({ victim: true, wasHere: true, verdicts: rejects, notes: [] });
  });

  test('deletes them with --no-sandbox', async ({ folder }) => {
    const left = await aftermath(folder, { options: [...probing, '--no-sandbox'] });
    expect(left).toMatchObject({ victim: false, wasHere: true });
  });
});
