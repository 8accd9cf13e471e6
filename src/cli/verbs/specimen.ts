/** `relight specimen`: runs one of our own servers like any other. */

import { RelightError } from '../../base/error.js';
import { runMemfs } from '../../specimen/memfs.js';
import { memfsOptionsFrom, memfsOptionTable } from '../../specimen/options.js';
import { ExitStatus } from '../exit-status.js';
import { defineVerb } from '../verb.js';

/** The verb. */
export const verb = defineVerb({
  name: 'specimen',
  about:
    'Runs a small FUSE server with a known way of numbering its nodes and files. memfs keeps its files in memory. MOUNTPOINT is a directory, or /dev/fd/N for a descriptor that was handed over.',
  operands: ['memfs', 'MOUNTPOINT'],
  command: 'none',
  options: memfsOptionTable,
  examples: [
    ['specimen memfs --ids counter /mnt/test', 'nodeids count up, and begin anew with each start'],
    ['record -o t.rlt -- relight specimen memfs --ids address {mnt}', 'nodeids are addresses'],
  ],
  run: async ({ options, operands: [name, mountPoint = ''] }) => {
    if (name !== 'memfs')
      throw new RelightError('usage', `there is no specimen ${name}`, { remedy: 'there is memfs' });
    await runMemfs(memfsOptionsFrom(options, mountPoint));
    return ExitStatus.ok;
  },
});
