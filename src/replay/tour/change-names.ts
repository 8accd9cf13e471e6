/** Changes to names: directories, renames, hard and symbolic links, a pipe, removals. */

import { RenameFlag } from '../../protocol/flags.js';
import type { Calls } from './calls.js';
import { S_IFIFO } from './file-types.js';
import { claim, makeDirectory, makeText, rename, type Workshop } from './workshop.js';

/** A file that goes into a directory and comes out again, over another one. */
export function* changeNames({ caller, home }: Workshop): Calls<void> {
  const inner = yield* makeDirectory(caller, home, 'inner');
  const first = yield* makeText(caller, home, { name: 'first', length: 64 });
  const second = yield* makeText(caller, home, { name: 'second', length: 96 });
  if ('errno' in inner || first === undefined || second === undefined) return;
  const moved = { parent: inner.nodeid, name: 'moved' };
  yield* rename(caller, first, moved);
  yield* rename(caller, moved, { parent: inner.nodeid, name: 'again' });
  yield* rename(caller, { parent: inner.nodeid, name: 'again' }, second);
  const third = yield* makeText(caller, inner.nodeid, { name: 'third', length: 128 });
  if (third === undefined) return;
  yield* rename(caller, third, second, RenameFlag.NOREPLACE);
  yield* rename(caller, third, second, RenameFlag.EXCHANGE);
}

/** A second name for a file, and the first one gone. */
export function* makeHardLink({ caller, home }: Workshop): Calls<void> {
  const made = yield* makeText(caller, home, { name: 'linked', length: 160 });
  if (made === undefined) return;
  for (const newname of ['hard', 'harder']) {
    if ((yield* claim(caller, home, newname)) !== 0) continue;
    yield* caller.ask('LINK', home, { oldnodeid: made.nodeid, newname });
  }
  yield* caller.ask('UNLINK', home, { name: made.name });
}

/** A symbolic link to a file, and one to nothing. */
export function* makeSymbolicLinks({ caller, home }: Workshop): Calls<void> {
  const links = { soft: 'second', dangling: 'nowhere/at all' };
  for (const [name, target] of Object.entries(links)) {
    if ((yield* claim(caller, home, name)) !== 0) continue;
    const { fields } = yield* caller.ask('SYMLINK', home, { name, target });
    if (fields !== undefined) yield* caller.ask('READLINK', fields.nodeid, {});
  }
}

/** A pipe, which no server ever sees opened. */
export function* makePipe({ caller, home }: Workshop): Calls<void> {
  if ((yield* claim(caller, home, 'pipe')) === 0)
    yield* caller.ask('MKNOD', home, { name: 'pipe', mode: S_IFIFO | 0o600, umask: 0 });
}

/** A directory and a file that go at once; the name of the file is looked up again. */
export function* makeAndRemove({ caller, home }: Workshop): Calls<void> {
  const directory = yield* makeDirectory(caller, home, 'gone.d');
  if (!('errno' in directory)) yield* caller.ask('RMDIR', home, { name: 'gone.d' });
  const file = yield* makeText(caller, home, { name: 'gone', length: 32 });
  if (file !== undefined) yield* caller.ask('UNLINK', home, { name: 'gone' });
  yield* claim(caller, home, 'gone');
}
