/** `relight specimen`: runs one of our own servers like any other, and lists the bugs that can be planted in it. */

import { RelightError } from '../../base/error.js';
import { nearest } from '../../base/spelling.js';
import { runMemfs } from '../../specimen/memfs.js';
import { type MemfsOptions, memfsOptionsFrom, memfsOptionTable } from '../../specimen/options.js';
import type { Planted } from '../../specimen/planted/planted.js';
import { ExitStatus } from '../exit-status.js';
import { print, printJson } from '../output.js';
import { defineVerb, type Given } from '../verb.js';

const options = {
  ...memfsOptionTable,
  bug: {
    type: 'string',
    describe:
      'plant one of the bugs that `relight specimen bugs` lists; it decides on ids, handles, check, unknown, resent and reuse-inos',
    requiresArg: true,
  },
  fixed: { type: 'boolean', describe: 'with --bug: the same server with that bug fixed', default: false },
  json: { type: 'boolean', describe: 'with `specimen bugs`: print one JSON document', default: false },
} as const;

type Arguments = Given<typeof options>;

/** Loaded only when wanted: a plain memfs starts often. */
const table = () => import('../../specimen/planted/planted.js');

const listBugs = async (asJson: boolean): Promise<void> => {
  const { plantedBugs } = await table();
  const truth = plantedBugs.map(({ name, summary, fix, mechanism, verdicts, ops }) => ({
    name,
    summary,
    fix,
    mechanism,
    verdicts,
    ops,
  }));
  if (asJson) return printJson(truth);
  const width = Math.max(...truth.map(({ name }) => name.length));
  print(
    ...truth.map(
      ({ name, verdicts, summary }) => `${name.padEnd(width)}  ${verdicts.join(', ')}: ${summary}`,
    ),
  );
};

const planted = async (memfs: MemfsOptions, name: string, fixed: boolean): Promise<Planted> => {
  const { plantedBugs, plantedMemfs } = await table();
  const bug = plantedBugs.find((one) => one.name === name);
  if (bug !== undefined) return plantedMemfs(memfs, { bug, fixed });
  const meant = nearest(
    name,
    plantedBugs.map((one) => one.name),
  );
  throw new RelightError('usage', `there is no planted bug ${name}`, {
    remedy: meant === undefined ? '`relight specimen bugs` lists them' : `did you mean ${meant}?`,
  });
};

const runOne = async (given: Arguments['options'], mountPoint: string): Promise<void> => {
  const memfs = memfsOptionsFrom(given, mountPoint);
  if (given.bug === undefined && given.fixed)
    throw new RelightError('usage', '--fixed has nothing to fix', { remedy: 'give --bug with it' });
  if (given.bug === undefined) await runMemfs(memfs);
  else {
    const { options: planting, variation } = await planted(memfs, given.bug, given.fixed);
    await runMemfs(planting, variation);
  }
};

/** The verb. */
export const verb = defineVerb({
  name: 'specimen',
  about:
    'Runs a small FUSE server with a known way of numbering its nodes and files. memfs keeps its files in memory. MOUNTPOINT is a directory, or /dev/fd/N for a descriptor that was handed over. With --bug it has one documented mistake, and with --fixed everything but the mistake; `relight specimen bugs` lists them.',
  operands: ['memfs', '[MOUNTPOINT]'],
  command: 'none',
  options,
  examples: [
    ['specimen memfs --ids counter /mnt/test', 'nodeids count up, and begin anew with each start'],
    ['record -o t.rlt -- relight specimen memfs --ids address {mnt}', 'nodeids are addresses'],
    ['specimen memfs --bug forget-underflow /mnt/test', 'one planted bug'],
  ],
  run: async ({ options: given, operands: [name, mountPoint] }) => {
    if (name === 'bugs' && mountPoint === undefined) await listBugs(given.json);
    else if (name !== 'memfs')
      throw new RelightError('usage', `there is no specimen ${name}`, { remedy: 'there is memfs' });
    else if (mountPoint === undefined)
      throw new RelightError('usage', 'specimen needs MOUNTPOINT', {
        remedy: 'usage: relight specimen memfs MOUNTPOINT [options]',
      });
    else await runOne(given, mountPoint);
    return ExitStatus.ok;
  },
});
