/** Changes to attributes: mode, times, extended attributes. */

import { Fattr } from '../../protocol/flags.js';
import type { Calls } from './calls.js';
import { readXattrs } from './visit.js';
import { makeText, textFor, type Workshop } from './workshop.js';

/** 2001-09-09, so that the time is nobody's. */
const SECONDS = 1_000_000_000n;
const XATTR_REPLACE = 2;

/** Mode and times of a file, by SETATTR. */
export function* changeAttributes({ caller, home }: Workshop): Calls<void> {
  const made = yield* makeText(caller, home, { name: 'attributes', length: 48 });
  if (made === undefined) return;
  yield* caller.ask('SETATTR', made.nodeid, { valid: Fattr.MODE, mode: 0o100600 });
  const times = { atime: SECONDS, mtime: SECONDS, atimensec: 1000, mtimensec: 2000 };
  yield* caller.ask('SETATTR', made.nodeid, { valid: Fattr.ATIME | Fattr.MTIME, ...times });
  yield* caller.ask('GETATTR', made.nodeid, {});
}

/** Extended attributes: set, replaced, listed, removed. */
export function* changeXattrs({ state, caller, home }: Workshop): Calls<void> {
  const made = yield* makeText(caller, home, { name: 'xattrs', length: 80 });
  if (made === undefined) return;
  for (const name of ['user.tour', 'user.other']) {
    const value = textFor(name, 40);
    yield* caller.ask('SETXATTR', made.nodeid, { name, size: value.length, flags: 0, value });
  }
  const value = textFor('replaced', 60);
  const replaced = { name: 'user.tour', size: value.length, flags: XATTR_REPLACE, value };
  yield* caller.ask('SETXATTR', made.nodeid, replaced);
  yield* readXattrs(state, made.nodeid);
  yield* caller.ask('REMOVEXATTR', made.nodeid, { name: 'user.other' });
}
