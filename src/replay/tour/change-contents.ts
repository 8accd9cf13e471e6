/** Changes to what files hold: writing, appending, truncating, copying, and what asks for it back. */

import { Errno } from '../../base/errno.js';
import { Fattr } from '../../protocol/flags.js';
import type { Caller, Calls } from './calls.js';
import { close, type OpenFile, open, read, write } from './files.js';
import { O_TRUNC, OpenFor } from './open-flags.js';
import { type Made, makeFile, makeText, type Text, textFor, type Workshop } from './workshop.js';

/** Shorter than a page, a page, odd, and more than one WRITE. */
const small: Text = { name: 'small', length: 100 };
const page: Text = { name: 'page', length: 4096 };
const odd: Text = { name: 'odd', length: 20_001 };
const large: Text = { name: 'large', length: 300_000 };

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const F_WRLCK = 1;

/** Files of several lengths, appended to, cut, grown and read back. */
export function* changeContents({ caller, home }: Workshop): Calls<void> {
  for (const text of [small, page, odd, large]) {
    const made = yield* makeText(caller, home, text);
    if (made === undefined) continue;
    if (text === small) yield* append(caller, made, text.length);
    if (text === page) yield* grow(caller, made);
    if (text === odd) yield* cut(caller, made);
    if (text === large) yield* useLarge(caller, made);
    yield* readBack(caller, made, text.length);
  }
}

/** A file with a text that stays open, and one that stays open although its name is gone. */
export function* keepOpen({ caller, home, held }: Workshop): Calls<void> {
  for (const name of ['held', 'orphan']) {
    const made = yield* makeFile(caller, home, name);
    if (made === undefined) return;
    yield* write(caller, made.file, 0n, textFor(name, small.length));
    if (name === 'orphan') yield* caller.ask('UNLINK', home, { name });
    held.push(made.file);
  }
}

/** A file without a name, where the server has such. */
export function* keepUnnamed({ caller, home, held }: Workshop): Calls<void> {
  if (!caller.sends('TMPFILE')) return;
  const flags = OpenFor.both;
  // d_alloc of vfs_tmpfile names it so.
  const { fields } = yield* caller.ask('TMPFILE', home, { name: '/', flags, mode: 0o100600, umask: 0 });
  if (fields === undefined) return;
  const { nodeid, fh, openFlags } = fields;
  const file = { nodeid, fh, flags, openFlags, isDirectory: false };
  yield* write(caller, file, 0n, textFor('unnamed', small.length));
  held.push(file);
}

function* append(caller: Caller, { nodeid }: Made, length: number): Calls<void> {
  const file = yield* open(caller, nodeid, { flags: OpenFor.appending, isDirectory: false });
  if (file === undefined) return;
  yield* write(caller, file, BigInt(length), textFor('appended', length));
  yield* close(caller, file);
}

/** Truncation by path to more than it has, as truncate(2) does it. */
function* grow(caller: Caller, { nodeid }: Made): Calls<void> {
  yield* setSize(caller, nodeid, 10_000n);
}

/** Truncation by handle, then to nothing as open(2) does it, and a text anew. */
function* cut(caller: Caller, { nodeid }: Made): Calls<void> {
  const file = yield* open(caller, nodeid, { flags: OpenFor.both, isDirectory: false });
  if (file === undefined) return;
  yield* setSize(caller, nodeid, 5000n, file);
  yield* close(caller, file);
  const emptied = yield* openEmptied(caller, nodeid);
  if (emptied === undefined) return;
  yield* write(caller, emptied, 0n, textFor('anew', 3000));
  yield* close(caller, emptied);
}

/** O_TRUNC reaches the server in OPEN with ATOMIC_O_TRUNC, else the kernel truncates by itself (`fuse_send_open`). */
function* openEmptied(caller: Caller, nodeid: bigint): Calls<OpenFile | undefined> {
  const isAtomic = caller.has('ATOMIC_O_TRUNC');
  const flags = isAtomic ? OpenFor.truncating : OpenFor.truncating & ~O_TRUNC;
  const file = yield* open(caller, nodeid, { flags, isDirectory: false });
  if (file !== undefined && !isAtomic) yield* setSize(caller, nodeid, 0n);
  return file;
}

/** SETATTR of a size, which names the lock owner of its caller (`fuse_do_setattr`). */
function* setSize(caller: Caller, nodeid: bigint, size: bigint, file?: OpenFile): Calls<void> {
  const valid = Fattr.SIZE | Fattr.LOCKOWNER | (file === undefined ? 0 : Fattr.FH);
  const fields = { valid, size, lockOwner: caller.owner, fh: file?.fh ?? 0n };
  yield* caller.ask('SETATTR', nodeid, fields);
}

/** Calls that need an open file and more than a page in it. */
function* useLarge(caller: Caller, { nodeid, parent }: Made): Calls<void> {
  const file = yield* open(caller, nodeid, { flags: OpenFor.both, isDirectory: false });
  if (file === undefined) return;
  const { fh } = file;
  yield* caller.ask('FSYNC', nodeid, { fh });
  yield* lock(caller, file);
  yield* caller.ask('FALLOCATE', nodeid, { fh, offset: BigInt(large.length), length: 8192n, mode: 0 });
  for (const whence of [SEEK_DATA, SEEK_HOLE])
    yield* caller.ask('LSEEK', nodeid, { fh, offset: 4096n, whence });
  const copy = yield* makeFile(caller, parent, 'copy');
  if (copy !== undefined) {
    yield* copyRange(caller, file, copy.file);
    yield* close(caller, copy.file);
  }
  yield* close(caller, file);
}

/** A POSIX lock on the first bytes, asked about and left to FLUSH. */
function* lock(caller: Caller, { nodeid, fh }: OpenFile): Calls<void> {
  if (!caller.sends('SETLK')) return;
  const range = { start: 0n, end: 99n, type: F_WRLCK, pid: process.pid };
  yield* caller.ask('GETLK', nodeid, { fh, owner: caller.owner, lk: range });
  yield* caller.ask('SETLK', nodeid, { fh, owner: caller.owner, lk: range });
}

/** The kernel tries the form with a long count first (`__fuse_copy_file_range`). */
function* copyRange(caller: Caller, from: OpenFile, to: OpenFile): Calls<void> {
  const fields = {
    ...{ fhIn: from.fh, offIn: 0n, nodeidOut: to.nodeid, fhOut: to.fh, offOut: 0n },
    ...{ len: 8192n, flags: 0n },
  };
  if (caller.sends('COPY_FILE_RANGE_64')) {
    const { errno } = yield* caller.ask('COPY_FILE_RANGE_64', from.nodeid, fields);
    if (errno !== Errno.ENOSYS) return;
  }
  if (caller.sends('COPY_FILE_RANGE')) yield* caller.ask('COPY_FILE_RANGE', from.nodeid, fields);
}

function* readBack(caller: Caller, { nodeid }: Made, length: number): Calls<void> {
  yield* caller.ask('GETATTR', nodeid, {});
  const file = yield* open(caller, nodeid, { flags: OpenFor.reading, isDirectory: false });
  if (file === undefined) return;
  yield* read(caller, file, { offset: 0n, length });
  yield* close(caller, file);
}
