/** Changes to a store file while no server runs on it: what happens to a backing store between two incarnations. */

import { existsSync } from 'node:fs';
import { errnoName } from '../../base/errno.js';
import { RelightError } from '../../base/error.js';
import { bytesOf } from '../../protocol/byte-string.js';
import { resize, write } from './data.js';
import { FileType, type Inode, type Time } from './inode.js';
import { openJournal } from './journal.js';
import { lookup, make, type Place, rename, unlink } from './names.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { isDirectory, ROOT_INO, Store } from './store.js';

/** One change, by paths from the root. */
export type Edit =
  /** A new file with a text. */
  | { readonly kind: 'add'; readonly path: string; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** Another file under the same name: a new inode, often with the old one's number. */
  | { readonly kind: 'replace'; readonly path: string; readonly text: string }
  /** Other contents in the same file. */
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string };

/** Makes the changes in order and keeps them. RelightError `usage` for a file that is no store, or a change that cannot be made. */
export const editStore = (file: string, edits: readonly Edit[], now: Time): void => {
  if (!existsSync(file)) throw new RelightError('usage', `there is no store ${file}`);
  const store = new Store({ reusesInos: true });
  const journal = openJournal(store, file, { seed: 0, files: 0, uid: 0, gid: 0 });
  try {
    for (const edit of edits) {
      const refused = apply(store, edit, now);
      if (refused)
        throw new RelightError('usage', `cannot ${edit.kind} ${edit.path}: ${errnoName(refused.errno)}`);
    }
    journal.commit(undefined);
  } finally {
    journal.close();
  }
};

const apply = (store: Store, edit: Edit, now: Time): Refusal | undefined => {
  const place = placeOf(store, edit.path);
  if (isRefusal(place)) return place;
  if (edit.kind === 'rename') return move(store, place, { path: edit.to, now });
  if (edit.kind === 'add') return add(store, place, edit.text, now);
  if (edit.kind === 'write') return overwrite(store, place, edit.text, now);
  const removed = unlink(store, place, now);
  if (isRefusal(removed)) return removed;
  return edit.kind === 'replace' ? add(store, place, edit.text, now) : undefined;
};

const placeOf = (store: Store, path: string): Place | Refusal => {
  const names = path.split('/').filter((name) => name !== '');
  const name = names.pop() ?? '';
  let directory = store.find(ROOT_INO);
  for (const step of names) {
    if (directory === undefined || !isDirectory(directory)) return refuse('ENOTDIR');
    const found: Inode | Refusal = lookup(store, { directory, name: step });
    if (isRefusal(found)) return found;
    directory = found;
  }
  return directory !== undefined && isDirectory(directory) ? { directory, name } : refuse('ENOTDIR');
};

const move = (store: Store, from: Place, to: { path: string; now: Time }): Refusal | undefined => {
  const place = placeOf(store, to.path);
  if (isRefusal(place)) return place;
  return rename(store, { from, to: place, mode: 'replace', time: to.now });
};

const add = (store: Store, place: Place, text: string, time: Time): Refusal | undefined => {
  const { uid, gid } = place.directory;
  const made = make(store, place, { mode: FileType.file | 0o644, uid, gid, time });
  return isRefusal(made) ? made : overwrite(store, place, text, time);
};

const overwrite = (store: Store, place: Place, text: string, time: Time): Refusal | undefined => {
  const inode = lookup(store, place);
  if (isRefusal(inode)) return inode;
  const emptied = resize(store, inode, 0n, time);
  if (emptied) return emptied;
  const written = write(store, { inode, offset: 0n, bytes: bytesOf(text), appends: false, time });
  return isRefusal(written) ? written : undefined;
};
