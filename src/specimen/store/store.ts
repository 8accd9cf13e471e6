/** The inode table: primitive changes, numbers for new files, and when a nameless file goes. Knows no rules of POSIX and no kernel. */

import type { AttributesChange, Change, EntryChange, InodeChange, XattrChange } from './change.js';
import { Content } from './content.js';
import { type Body, type DirectoryBody, type Entry, FileType, type Inode } from './inode.js';

/** Ino of the root directory, FUSE_ROOT_ID. */
export const ROOT_INO = 1;

/** An inode that is a directory. */
export type Directory = Inode & { readonly body: DirectoryBody };

/** Whether an inode is a directory. */
export const isDirectory = (inode: Inode): inode is Directory => inode.body.kind === 'directory';

const bodyOf = (change: InodeChange): Body => {
  const type = change.mode & FileType.mask;
  if (type === FileType.directory) return emptyDirectory();
  if (type === FileType.symlink) return { kind: 'symlink', target: change.target ?? '' };
  return type === FileType.file ? { kind: 'file', content: new Content() } : { kind: 'special' };
};

/** A directory body without names; READDIR cookies 1 and 2 belong to "." and "..". */
export const emptyDirectory = (fill?: () => void): DirectoryBody => ({
  kind: 'directory',
  entries: new Map(),
  parent: ROOT_INO,
  nextCookie: 3,
  fill,
  listing: undefined,
});

/** All inodes of one file system. Every modification goes through `apply`, and `onChange` hears of each. */
export class Store {
  readonly #inodes = new Map<number, Inode>();
  readonly #freed: { ino: number; generation: number }[] = [];
  readonly #reuses: boolean;
  #next = ROOT_INO + 1;
  /** Finds inodes that a directory not yet filled will hold; set by the seed. */
  expand: ((ino: number) => void) | undefined;
  /** Hears every change, after it was made. */
  onChange: ((change: Change) => void) | undefined;

  /** `reusesInos`: the last freed ino goes to the next new file with a higher generation, as on disk file systems. */
  constructor(options: { readonly reusesInos: boolean }) {
    this.#reuses = options.reusesInos;
  }

  /** The inode of that number; `undefined` when there is none now. */
  find(ino: number): Inode | undefined {
    const known = this.#inodes.get(ino);
    if (known !== undefined || this.expand === undefined) return known;
    this.expand(ino);
    return this.#inodes.get(ino);
  }

  /** The inode of that number if it is in memory already. */
  known(ino: number): Inode | undefined {
    return this.#inodes.get(ino);
  }

  /** Number and generation for the next new file. */
  nextIno(): { readonly ino: number; readonly generation: number } {
    const freed = this.#reuses ? this.#freed.pop() : undefined;
    return freed === undefined
      ? { ino: this.#next, generation: 1 }
      : { ino: freed.ino, generation: freed.generation + 1 };
  }

  /** Takes an inode that was made elsewhere (the seed). */
  add(inode: Inode): void {
    this.#inodes.set(inode.ino, inode);
    this.#next = Math.max(this.#next, inode.ino + 1);
  }

  /** Keeps numbers up to `ino` from being given to new files. */
  reserve(ino: number): void {
    this.#next = Math.max(this.#next, ino + 1);
  }

  /** Makes a primitive change and tells of it; one about an inode that is gone does nothing. */
  apply(change: Change): void {
    this.restore(change);
    this.onChange?.(change);
  }

  /** Makes a change that the journal or the seed knows already. */
  restore(change: Change): void {
    if (change.kind === 'inode') this.#makeInode(change);
    else if (change.kind === 'entry') this.#makeEntry(change);
    else {
      const inode = this.find(change.ino);
      if (inode !== undefined) modify(inode, change);
    }
  }

  /** Forgets an inode that has neither names nor pins; anything else stays. */
  reap(inode: Inode): void {
    if (inode.nlink > 0 || inode.pins > 0 || this.#inodes.get(inode.ino) !== inode) return;
    this.#inodes.delete(inode.ino);
    this.#freed.push({ ino: inode.ino, generation: inode.generation });
  }

  /** Removes every inode without a name, after a journal was read. */
  reapAll(): void {
    for (const inode of this.#inodes.values()) this.reap(inode);
  }

  /** Inodes that exist in memory. */
  get count(): number {
    return this.#inodes.size;
  }

  #makeInode(change: InodeChange): void {
    const { ino, generation, mode, uid, gid, rdev, time } = change;
    const times = { atime: time, mtime: time, ctime: time };
    const body = bodyOf(change);
    this.add({ ino, generation, mode, nlink: 0, uid, gid, rdev, ...times, body, xattrs: undefined, pins: 0 });
  }

  #makeEntry(change: EntryChange): void {
    const directory = this.find(change.directory);
    if (directory === undefined || !isDirectory(directory)) return;
    const entries = entriesOf(directory);
    const old = entries.get(change.name);
    if (old !== undefined) this.#unlink(directory, old);
    if (change.ino !== undefined) this.#link(directory, change.name, change.ino);
  }

  #unlink(directory: Directory, entry: Entry): void {
    directory.body.entries.delete(entry.name);
    directory.body.listing = undefined;
    const child = this.find(entry.ino);
    if (child === undefined) return;
    child.nlink -= isDirectory(child) ? 2 : 1;
    if (isDirectory(child)) directory.nlink -= 1;
  }

  #link(directory: Directory, name: string, ino: number): void {
    const body = directory.body;
    body.entries.set(name, { name, ino, cookie: body.nextCookie++ });
    body.listing = undefined;
    const child = this.find(ino);
    if (child === undefined) return;
    child.nlink += isDirectory(child) ? 2 : 1;
    if (!isDirectory(child)) return;
    child.body.parent = directory.ino;
    directory.nlink += 1;
  }
}

/** The names of a directory, filled in when this is the first use. */
export const entriesOf = (directory: Directory): Map<string, Entry> => {
  const fill = directory.body.fill;
  directory.body.fill = undefined;
  fill?.();
  return directory.body.entries;
};

const modify = (inode: Inode, change: Exclude<Change, InodeChange | EntryChange>): void => {
  if (change.kind === 'attributes') setAttributes(inode, change);
  else if (change.kind === 'xattr') setXattr(inode, change);
  else if (inode.body.kind !== 'file') return;
  else if (change.kind === 'data') inode.body.content.write(change.offset, change.bytes);
  else inode.body.content.punch(change.offset, change.length);
};

const setAttributes = (inode: Inode, change: AttributesChange): void => {
  inode.mode = change.mode ?? inode.mode;
  inode.uid = change.uid ?? inode.uid;
  inode.gid = change.gid ?? inode.gid;
  inode.atime = change.atime ?? inode.atime;
  inode.mtime = change.mtime ?? inode.mtime;
  inode.ctime = change.ctime ?? inode.ctime;
  if (change.size !== undefined && inode.body.kind === 'file') inode.body.content.resize(change.size);
};

const setXattr = (inode: Inode, change: XattrChange): void => {
  if (change.value === undefined) inode.xattrs?.delete(change.name);
  else {
    inode.xattrs ??= new Map();
    inode.xattrs.set(change.name, change.value);
  }
};
