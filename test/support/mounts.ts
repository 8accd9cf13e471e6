/** The kernel's table of mounts, as this process sees it. */

import { readFileSync } from 'node:fs';

/** One line of the table; paths with their escapes resolved. */
export interface Mount {
  readonly source: string;
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

// Space, tab, newline and backslash stand as three octal digits (fs/seq_file.c, mangle_path).
const withoutEscapes = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Every mount, in the order in which they were made. */
export const mounts = (): Mount[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source = '', point = '', type = '', options = ''] = line.split(' ').map(withoutEscapes);
      return { source, point, type, options };
    });

/** Mounts on a folder or below it, innermost first, which is the order to unmount them in. */
export const mountsUnder = (folder: string): Mount[] =>
  mounts()
    .filter(({ point }) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
