/** A server's memory map in the trace explains what it handed out until the last moment, however short the session. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { catalogue } from './servers/catalogue.js';
import { prepareServer, requireServer } from './servers/prepared.js';
import { test } from './support/leak-guard.js';
import { jsonOf, runRelight } from './support/relight.js';

const server = catalogue.find(({ name }) => name === 'passthrough_ll');

/** Node records of so many files outgrow the heap that passthrough_ll has at INIT. */
const FILES = 3000;

test('nodeids of memory that grew in a session of a tenth of a second are pointers, all of them', {
  timeout: 60_000,
}, async ({ folder, skip }) => {
  if (server === undefined) throw new Error('passthrough_ll is not in the catalogue');
  requireServer({ skip }, server);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (let i = 0; i < FILES; i++) writeFileSync(join(tree, `f${i}`), '');
  const { command } = await prepareServer(server, folder, { tree });
  const trace = join(folder, 't.rlt');
  const workload = 'ls -l "$RELIGHT_MOUNT" > /dev/null';
  const recorded = await runRelight(['record', '-o', trace, '-w', workload, '--', ...command]);
  expect(recorded.status, recorded.stderr).toBe(0);
  const { ids } = jsonOf(await runRelight(['stats', trace, '--json']));
  expect(ids).toMatchObject({ nodeids: { kind: 'pointer', count: FILES, pointers: FILES } });
});
