/**
 * What a test needs from the machine. A test whose needs are not met is skipped with the reason, and **fails** where
 * everything has to be there (CI=true).
 */

import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

/** One thing that a machine may lack; `missing` says what is wrong, `undefined` when it is there. */
export interface Need {
  readonly missing: () => string | undefined;
}

const inCi = process.env['CI'] === 'true';
// Debian keeps mke2fs and mkntfs where an ordinary user's PATH does not look.
const path = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const deviceTrouble = (): string | undefined => {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return undefined;
  } catch (error) {
    return `cannot open /dev/fuse: ${error instanceof Error ? error.message : error}`;
  }
};

/** A program on the PATH, or a file when it starts with a slash. */
export const program = (name: string): Need => ({
  missing: () => {
    const found = name.startsWith('/')
      ? existsSync(name)
      : path.some((folder) => isExecutable(join(folder, name)));
    return found ? undefined : `${name} is not installed`;
  },
});

/** The right to do what only root may. */
export const rootUser: Need = {
  missing: () => (process.getuid?.() === 0 ? undefined : 'not root'),
};

/** A real FUSE mount: /dev/fuse can be opened by this process. */
export const realKernel: Need = { missing: deviceTrouble };

/**
 * Skips the running test, or fails it in CI, when a need is not met. Call it first in the test.
 * @throws Error in CI, with what is missing
 */
export const requires = (context: Pick<TestContext, 'skip'>, ...needs: readonly Need[]): void => {
  const reasons = needs.map(({ missing }) => missing()).filter((reason) => reason !== undefined);
  if (reasons.length === 0) return;
  if (inCi) throw new Error(`nothing may be skipped in CI: ${reasons.join('; ')}`);
  context.skip(reasons.join('; '));
};
