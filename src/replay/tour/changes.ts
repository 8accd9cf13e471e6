/** The part of a tour that changes things, in a directory of its own, which may be taken away again at the end. */

import { Errno } from '../../base/errno.js';
import { ROOT_ID } from '../../base/ids.js';
import type { Calls } from './calls.js';
import { changeAttributes, changeXattrs } from './change-attributes.js';
import { changeContents, keepOpen, keepUnnamed } from './change-contents.js';
import { changeNames, makeAndRemove, makeHardLink, makePipe, makeSymbolicLinks } from './change-names.js';
import { S_IFDIR, S_IFMT } from './file-types.js';
import { close } from './files.js';
import { list } from './listing.js';
import type { TourState } from './state.js';
import { makeDirectory, type Workshop } from './workshop.js';

/** A workshop that was set up, under this name in the root. */
export interface SetUp extends Workshop {
  readonly name: string;
}

const scenes: readonly ((workshop: Workshop) => Calls<void>)[] = [
  changeContents,
  changeNames,
  makeHardLink,
  makeSymbolicLinks,
  makePipe,
  changeAttributes,
  changeXattrs,
  makeAndRemove,
  keepOpen,
  keepUnnamed,
];

/** Names that are tried for the directory: earlier tours may have left theirs. */
const NAMES_TRIED = 100;
/** Entries of one directory that are removed: far more than are made. */
const REMOVED_AT_MOST = 1000;

/** Makes the directory; the errno when the server lets nothing be made. */
export function* setUp(state: TourState, seed: number): Calls<SetUp | { readonly errno: number }> {
  for (let attempt = 1; attempt <= NAMES_TRIED; attempt++) {
    const name = `relight-tour-${seed}${attempt === 1 ? '' : `-${attempt}`}`;
    const made = yield* makeDirectory(state.caller, ROOT_ID, name);
    if (!('errno' in made)) return { state, caller: state.caller, home: made.nodeid, held: [], name };
    if (made.errno !== Errno.EEXIST) return made;
  }
  return { errno: Errno.EEXIST };
}

/** Changes things in the directory. */
export function* makeChanges(workshop: Workshop): Calls<void> {
  for (const scene of scenes) yield* scene(workshop);
}

/** Closes what was left open in the directory and removes it; the errno of what could not be removed. */
export function* removeChanges({ state, caller, home, held, name }: SetUp): Calls<number> {
  for (const file of held.splice(0)) yield* close(caller, file);
  yield* removeAllIn(state, home);
  return (yield* caller.ask('RMDIR', ROOT_ID, { name })).errno;
}

function* removeAllIn(state: TourState, directory: bigint): Calls<void> {
  const { caller } = state;
  for (const { name } of yield* list(state, directory, { most: REMOVED_AT_MOST, mayStayOpen: false })) {
    const { fields } = yield* caller.ask('LOOKUP', directory, { name });
    if (fields === undefined || fields.nodeid === 0n) continue;
    const isDirectory = (fields.attr.mode & S_IFMT) === S_IFDIR;
    if (isDirectory) yield* removeAllIn(state, fields.nodeid);
    yield* caller.ask(isDirectory ? 'RMDIR' : 'UNLINK', directory, { name });
  }
}
