/** Running a command without privilege, as nobody when the tests are root. */

import { lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Need } from './needs.js';
import { root } from './root.js';

const isRoot = process.getuid?.() === 0;
/** User and group number of nobody on Debian. */
const nobody = 65534;

/** Who may open /dev/fuse: everybody, as udev sets it, or root alone. */
export type DeviceMode = '666' | '600';

/** The command line that runs `argv` as an ordinary user with such a /dev/fuse; `argv` itself when already ordinary. */
export const asOrdinaryUser = (argv: readonly string[], device: DeviceMode = '666'): readonly string[] =>
  isRoot
    ? [
        ...['unshare', '--mount', '--propagation', 'private'],
        ...['bash', join(root, 'test/support/ordinary-user.sh'), root, device],
        ...argv,
      ]
    : argv;

/** Makes everything at a path the ordinary user's own. */
export const giveToOrdinaryUser = (path: string): void => {
  if (!isRoot) return;
  lchownSync(path, nobody, nobody);
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(path, name), nobody, nobody);
  }
};

/** Where root's node lies in a closed folder, another user cannot start it. */
export const ordinaryNode: Need = {
  missing: () =>
    isRoot && process.execPath.startsWith('/root/') ? `${process.execPath} is closed to others` : undefined,
};
