/** Making, removing and moving names by the rules of POSIX. Permissions are the kernel's business (default_permissions). */

import { bytesOf } from '../../protocol/byte-string.js';
import { type Entry, FileType, type Inode, type Time } from './inode.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { type Directory, entriesOf, isDirectory, ROOT_INO, type Store } from './store.js';

/** Longest name in bytes, NAME_MAX of limits.h. */
export const NAME_MAX = 255;

const isTooLong = (name: string): boolean => name.length > NAME_MAX / 4 && bytesOf(name).length > NAME_MAX;

/** What a new file is and whose; `target` is a link's text. */
export interface NewFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev?: number;
  readonly target?: string;
  readonly time: Time;
}

/** Where a name is, or is to be. */
export interface Place {
  readonly directory: Directory;
  readonly name: string;
}

/** The inode behind a name, "." and ".." included; ENOENT, ENAMETOOLONG. */
export const lookup = (store: Store, { directory, name }: Place): Inode | Refusal => {
  if (name === '.') return directory;
  if (name === '..') return store.find(directory.body.parent) ?? refuse('ESTALE');
  if (isTooLong(name)) return refuse('ENAMETOOLONG');
  const entry = entriesOf(directory).get(name);
  return (entry && store.find(entry.ino)) ?? refuse('ENOENT');
};

/** A new inode without a name (what TMPFILE wants); it lives while it is pinned. */
export const makeNameless = (store: Store, file: NewFile): Inode => {
  const { ino, generation } = store.nextIno();
  store.apply({ kind: 'inode', ino, generation, rdev: 0, ...file });
  const made = store.find(ino);
  if (made === undefined) throw new Error(`inode ${ino} vanished while it was made`);
  return made;
};

/** A new file, directory, link or device under a new name; EEXIST, EINVAL, ENAMETOOLONG, ENOENT in a removed directory. */
export const make = (store: Store, place: Place, file: NewFile): Inode | Refusal => {
  const refused = refusesNew(place);
  if (refused) return refused;
  const made = makeNameless(store, inherited(place.directory, file));
  setName(store, place, made.ino, file.time);
  return made;
};

/** One more name for a file; EPERM for a directory, EEXIST, ENAMETOOLONG. */
export const link = (store: Store, inode: Inode, place: Place, time: Time): Inode | Refusal => {
  if (isDirectory(inode)) return refuse('EPERM');
  const refused = refusesNew(place);
  if (refused) return refused;
  setName(store, place, inode.ino, time);
  store.apply({ kind: 'attributes', ino: inode.ino, ctime: time });
  return inode;
};

/** Removes a name that is not a directory's; EISDIR, ENOENT. The inode removed. */
export const unlink = (store: Store, place: Place, time: Time): Inode | Refusal => {
  const inode = named(store, place);
  if (isRefusal(inode)) return inode;
  if (isDirectory(inode)) return refuse('EISDIR');
  return dropName(store, place, inode, time);
};

/** Removes an empty directory; ENOTDIR, ENOTEMPTY, ENOENT. The inode removed. */
export const rmdir = (store: Store, place: Place, time: Time): Inode | Refusal => {
  const inode = named(store, place);
  if (isRefusal(inode)) return inode;
  if (!isDirectory(inode)) return refuse('ENOTDIR');
  if (entriesOf(inode).size > 0) return refuse('ENOTEMPTY');
  return dropName(store, place, inode, time);
};

/** What RENAME2 may ask for (RENAME_NOREPLACE, RENAME_EXCHANGE); a plain rename replaces. */
export type RenameMode = 'replace' | 'noreplace' | 'exchange';

/** Moves a name, over another or in exchange with it. */
export const rename = (
  store: Store,
  move: { readonly from: Place; readonly to: Place; readonly mode: RenameMode; readonly time: Time },
): undefined | Refusal => {
  const { from, to, mode, time } = move;
  const source = named(store, from);
  if (isRefusal(source)) return source;
  if (isTooLong(to.name)) return refuse('ENAMETOOLONG');
  const target = entriesOf(to.directory).has(to.name) ? named(store, to) : undefined;
  if (isRefusal(target)) return target;
  const refused = refusesMove(store, { source, target, to, mode });
  if (refused) return refused;
  if (source === target) return undefined;
  setName(store, from, mode === 'exchange' ? target?.ino : undefined, time);
  setName(store, to, source.ino, time);
  store.apply({ kind: 'attributes', ino: source.ino, ctime: time });
  if (target && mode !== 'exchange') store.reap(target);
  return undefined;
};

/** Entries whose cookie is greater than `cookie`, in order; "." and ".." are not among them. */
export const entriesAfter = (directory: Directory, cookie: number): readonly Entry[] => {
  const body = directory.body;
  body.listing ??= [...entriesOf(directory).values()];
  let low = 0;
  for (let high = body.listing.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((body.listing[middle]?.cookie ?? 0) <= cookie) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? body.listing : body.listing.slice(low);
};

const named = (store: Store, place: Place): Inode | Refusal =>
  place.name === '.' || place.name === '..' ? refuse('EINVAL') : lookup(store, place);

const refusesNew = ({ directory, name }: Place): Refusal | undefined => {
  if (name === '' || name.includes('/')) return refuse('EINVAL');
  if (isTooLong(name)) return refuse('ENAMETOOLONG');
  if (directory.nlink === 0) return refuse('ENOENT');
  return name === '.' || name === '..' || entriesOf(directory).has(name) ? refuse('EEXIST') : undefined;
};

interface Move {
  readonly source: Inode;
  readonly target: Inode | undefined;
  readonly to: Place;
  readonly mode: RenameMode;
}

const refusesMove = (store: Store, move: Move): Refusal | undefined => {
  const { source, target, to, mode } = move;
  if (target === undefined) {
    if (mode === 'exchange') return refuse('ENOENT');
    const refused = refusesNew(to);
    if (refused) return refused;
  } else if (mode === 'noreplace') return refuse('EEXIST');
  if (isDirectory(source) && isInside(store, to.directory, source)) return refuse('EINVAL');
  return target && mode === 'replace' && source !== target ? refusesReplace(source, target) : undefined;
};

const refusesReplace = (source: Inode, target: Inode): Refusal | undefined => {
  if (!isDirectory(target)) return isDirectory(source) ? refuse('ENOTDIR') : undefined;
  if (!isDirectory(source)) return refuse('EISDIR');
  return entriesOf(target).size > 0 ? refuse('ENOTEMPTY') : undefined;
};

const isInside = (store: Store, directory: Directory, ancestor: Inode): boolean => {
  for (let at: Inode | undefined = directory; at !== undefined && isDirectory(at); ) {
    if (at === ancestor) return true;
    if (at.ino === ROOT_INO) return false;
    at = store.find(at.body.parent);
  }
  return false;
};

/** A set-group-id directory hands its group down, and itself to new directories. */
const inherited = (directory: Directory, file: NewFile): NewFile => {
  if ((directory.mode & 0o2000) === 0) return file;
  const isFolder = (file.mode & FileType.mask) === FileType.directory;
  return { ...file, gid: directory.gid, mode: isFolder ? file.mode | 0o2000 : file.mode };
};

const setName = (store: Store, { directory, name }: Place, ino: number | undefined, time: Time): void => {
  store.apply({ kind: 'entry', directory: directory.ino, name, ino });
  store.apply({ kind: 'attributes', ino: directory.ino, mtime: time, ctime: time });
};

const dropName = (store: Store, place: Place, inode: Inode, time: Time): Inode => {
  setName(store, place, undefined, time);
  store.apply({ kind: 'attributes', ino: inode.ino, ctime: time });
  store.reap(inode);
  return inode;
};
