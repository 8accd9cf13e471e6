/** Programs that help relight, and where they are. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../report/doctor.js';

/** A program that was found. */
export interface FoundProgram {
  readonly path: string;
  readonly isSetuid: boolean;
}

const SETUID = 0o4000;
const EXECUTABLE = 0o111;

const lookAt = (path: string): FoundProgram | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || (stat.mode & EXECUTABLE) === 0) return undefined;
  return { path, isSetuid: (stat.mode & SETUID) !== 0 && stat.uid === 0 };
};

/** The first program of a name on the PATH; `undefined` when there is none. */
export const programOn = (name: string): FoundProgram | undefined => {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    try {
      const found = lookAt(join(folder, name));
      if (found !== undefined) return found;
    } catch {
      // A part of the PATH that may not be looked at holds nothing for us.
    }
  }
  return undefined;
};

const helpers: readonly (readonly [name: string, use: string])[] = [
  ['gdb', 'crashes are reported without a backtrace'],
  ['valgrind', 'reads of freed memory that do not crash go unseen in servers without a sanitizer'],
];

/** A row for each program that may help. */
export const programChecks = (): Check[] =>
  helpers.map(([name, costs]) => {
    const found = programOn(name);
    if (found !== undefined) return { name, state: 'ok', found: found.path };
    return {
      name,
      state: 'limited',
      found: 'is not installed',
      costs,
      mend: `Debian: apt-get install ${name}`,
    };
  });
