/** The servers that fuzzing is measured on, and the tour that they are fuzzed from. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lift } from '#relight/plan/lift.js';
import type { Plan } from '#relight/plan/plan.js';
import { tour } from '#relight/replay/tour.js';
import { openTrace } from '#relight/trace/reader.js';
import { catalogue } from '../../servers/catalogue.js';
import { prepareServer } from '../../servers/prepared.js';
import { mustRun } from '../../support/program.js';

/** A server to start, with `{mnt}`. */
export interface FuzzedServer {
  readonly name: string;
  readonly command: readonly string[];
}

const plantTree = (tree: string): void => {
  for (let folder = 0; folder < 6; folder++) {
    mkdirSync(join(tree, `folder-${folder}`), { recursive: true });
    for (let file = 0; file < 8; file++)
      writeFileSync(join(tree, `folder-${folder}`, `file-${file}.txt`), `file ${file} of folder ${folder}\n`);
  }
};

/** squashfuse_ll and lowntfs-3g: their nodeids survive a restart. */
export const survivingServers = async (folder: string): Promise<FuzzedServer[]> => {
  const tree = join(folder, 'fuzzed-tree');
  const image = join(folder, 'fuzzed.squashfs');
  plantTree(tree);
  await mustRun(['mksquashfs', tree, image, '-quiet', '-no-progress', '-all-root']);
  const squashfuse = { name: 'squashfuse_ll', command: ['squashfuse_ll', '-f', image, '{mnt}'] };
  const lowntfs = catalogue.find(({ name }) => name === 'lowntfs-3g');
  if (lowntfs === undefined) return [squashfuse];
  const { command } = await prepareServer(lowntfs, join(folder, 'lowntfs'), { tree });
  return [squashfuse, { name: 'lowntfs-3g', command }];
};

/** What a tour of the server saw. */
export const touredPlan = async ({ name, command }: FuzzedServer, folder: string): Promise<Plan> => {
  const trace = join(folder, `${name}.rlt`);
  await tour({ trace, command, aslr: 'off' });
  return lift(openTrace(trace));
};
