/** libfuse's example servers, compiled from the sources that Debian ships, once. */

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../support/program.js';
import { built } from './catalogue.js';

const sources = '/usr/share/doc/libfuse3-dev/examples';

/**
 * Compiles an example unless it is there already; returns its path. `sanitizer` is one of the compiler's, such as `address`.
 * @throws Error with the compiler's words
 */
export const buildExample = async (name: string, sanitizer?: string): Promise<string> => {
  const program = join(built, sanitizer === undefined ? name : `${name}.${sanitizer}`);
  if (existsSync(program)) return program;
  mkdirSync(built, { recursive: true });
  // Test files run side by side: whoever is last puts the same program in place again.
  const draft = `${program}.${process.pid}`;
  const flags = (await mustRun(['pkg-config', '--cflags', '--libs', 'fuse3'])).trim().split(/\s+/);
  const checks = sanitizer === undefined ? ['-O2'] : ['-O1', '-g', `-fsanitize=${sanitizer}`];
  await mustRun(['gcc', ...checks, '-w', '-o', draft, join(sources, `${name}.c`), ...flags]);
  renameSync(draft, program);
  return program;
};
