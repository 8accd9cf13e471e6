/** What a figure depends on: the machine, its kernel and what was measured. */

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { root } from '../support/root.js';

const commit = (): string => {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
};

/** A Markdown list, with a line end. */
export const machineFacts = (): string =>
  [
    `- ${cpus().length} processors: ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    `- ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Linux ${release()}, Node ${process.versions.node}`,
    `- ${new Date().toISOString().slice(0, 10)}, commit ${commit()}`,
    '',
  ].join('\n');
