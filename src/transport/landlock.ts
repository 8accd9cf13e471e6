/** Landlock: keeps the calling thread, and what it starts, from changing files elsewhere. Needs no privilege; knows only paths. */

import { statSync } from 'node:fs';
import {
  close,
  landlockAddRule,
  landlockCreate,
  landlockRestrict,
  landlockVersion,
  open,
  prctl,
} from './libc.js';

const O_PATH = 0o10000000;
const PR_SET_NO_NEW_PRIVS = 38;
const ENOSYS = 38;

// linux/landlock.h, LANDLOCK_ACCESS_FS_*
const WRITE_FILE = 1n << 1n;
const REFER = 1n << 13n;
const TRUNCATE = 1n << 14n;
/** REMOVE_DIR, REMOVE_FILE and MAKE_* of seven kinds. */
const CHANGE_DIRECTORY = 0x1ff0n;
/** Before it, no file could be moved to another directory at all. */
const LEAST_VERSION = 2;
const TRUNCATE_SINCE = 3;

/** What everybody may write to and spoils nothing: devices, one's own processes. */
const COMMON = ['/dev', '/proc'];

const rightsOn = (path: string, handled: bigint): bigint | undefined => {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return undefined;
  return info.isDirectory() ? handled : handled & (WRITE_FILE | TRUNCATE);
};

/**
 * Lets the calling thread change files only at and below the paths that exist now; for good. 0, or -errno where the kernel
 * cannot (Linux 5.19). Modes, owners and times of the user's own files are not covered, nor is cutting them off before 6.2.
 */
export const restrictWriting = (paths: readonly string[]): number => {
  const version = landlockVersion();
  if (version < LEAST_VERSION) return -ENOSYS;
  const handled = WRITE_FILE | CHANGE_DIRECTORY | REFER | (version >= TRUNCATE_SINCE ? TRUNCATE : 0n);
  const rules = landlockCreate(handled);
  if (rules < 0) return rules;
  for (const path of [...paths, ...COMMON]) {
    const rights = rightsOn(path, handled);
    const fd = rights === undefined ? -1 : open(path, O_PATH);
    if (rights === undefined || fd < 0) continue;
    landlockAddRule(rules, rights, fd);
    close(fd);
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1);
  const result = landlockRestrict(rules);
  close(rules);
  return result;
};
