/** Where the command itself is, for starting it again. */

import { fileURLToPath } from 'node:url';

/** Absolute path of the entry. */
export const mainFile: string = fileURLToPath(new URL('./main.js', import.meta.url));
