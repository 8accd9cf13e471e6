/** Where the checkout lies, also for code that was compiled to another folder of it. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const climb = (folder: string): string =>
  existsSync(join(folder, 'package.json')) ? folder : climb(dirname(folder));

/** Absolute path of the checkout, without a slash at its end. */
export const root = climb(dirname(fileURLToPath(import.meta.url)));

/** Folder for things worth keeping between runs (compiled servers, fixtures); git ignores it. */
export const cache = join(root, '.cache');

/** The command line's entry, as built. */
export const relightMain = join(root, 'dist/cli/main.js');
