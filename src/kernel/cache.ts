/**
 * The kernel's caches of one mount taken together: inodes, their names and open files, and the rules by which replies
 * change them. It knows neither messages nor in-flight requests; what it lets go of waits in `forgets`.
 */

import { type NodeId, ROOT_ID } from '../base/ids.js';
import { DentryTable } from './dentry-table.js';
import { FileTable, type OpenFile } from './file-table.js';
import { ForgetQueue } from './forget-queue.js';
import { Names } from './names.js';
import { type NodeKey, NodeTable } from './node-table.js';

/** File type of directories, `mode & S_IFMT` (S_IFDIR). */
export const DIRECTORY_TYPE = 0x4000;
/** Deeper than PATH_MAX allows: only a server that answers nonsense gets there. */
const MAX_DEPTH = 4096;

/**
 * Who decides when a node is given back.
 * - `automatic`: the cache itself, when a node has neither a name nor an open file (`fuse_evict_inode`).
 * - `given`: FORGET requests of a recording, which are counted when they pass.
 */
export type LetGo = 'automatic' | 'given';

/** A name in a directory, both as row numbers. */
export interface Place {
  readonly parent: number;
  readonly name: number;
}

/** Outcome of entering a reply's node under a name. */
export interface Entered {
  readonly node: number;
  /** The node had the nodeid before with another generation or type; it is bad now. */
  readonly replaced: number | undefined;
}

/** Inodes, dentries and open files of one mount. */
export class Cache {
  readonly names = new Names();
  readonly nodes = new NodeTable();
  readonly dentries = new DentryTable();
  readonly files = new FileTable();
  readonly forgets = new ForgetQueue();
  /** The root's row. */
  readonly root: number;
  readonly letGo: LetGo;
  /** Counts INC_EPOCH notifications; dentries looked up before the last one are asked again on use. */
  epoch = 0;
  /** Number of the server's present start, from 0. */
  incarnation = 0;

  constructor(letGo: LetGo) {
    this.letGo = letGo;
    const low = Number(ROOT_ID);
    this.root = this.nodes.create({ low, high: 0, generation: 0, type: DIRECTORY_TYPE }, 0);
    this.nodes.addLookups(this.root);
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.names.bytes + this.nodes.bytes + this.dentries.bytes;
  }

  /** A node's own or first path, `/` for the root; `undefined` when it has no name or one of its parents has none. */
  path(node: number): string | undefined {
    const parts: string[] = [];
    for (let at = node; at !== this.root; ) {
      const dentry = this.dentries.firstNameOf(at);
      if (dentry === undefined || parts.length === MAX_DEPTH) return undefined;
      parts.push(this.names.text(this.dentries.nameOf(dentry)));
      at = this.dentries.parentOf(dentry);
    }
    return `/${parts.reverse().join('/')}`;
  }

  /** Path of the node that the kernel reaches by a nodeid; `undefined` when it has no such node or no name for it. */
  pathOf(id: NodeId): string | undefined {
    const node = this.nodes.find(id);
    return node === undefined ? undefined : this.path(node);
  }

  /**
   * Finds or makes the inode of a reply and counts the lookup (`fuse_iget`). A node with another generation or type goes
   * bad and makes room for a new one, except the root; its names stay until they are looked up again.
   */
  get(key: NodeKey): Entered {
    const known = this.nodes.locate(key.low, key.high);
    if (known === undefined) return { node: this.#create(key), replaced: undefined };
    const stale = this.nodes.isStale(known, key);
    if (!stale || known === this.root) {
      if (stale) this.nodes.makeBad(known, 'keep');
      this.nodes.addLookups(known);
      this.nodes.confirm(known, this.incarnation);
      return { node: known, replaced: undefined };
    }
    this.nodes.makeBad(known, 'unhash');
    return { node: this.#create(key), replaced: known };
  }

  /**
   * Lets a name mean a node. A directory has one name only, so that its old one goes (`d_splice_alias`); false, and nothing
   * is changed, when the directory would come to lie within itself (ELOOP).
   */
  splice(place: Place, node: number): boolean {
    const existing = this.dentries.find(place.parent, place.name);
    if (existing !== undefined && this.dentries.nodeOf(existing) === node) {
      this.dentries.setEpoch(existing, this.epoch);
      return true;
    }
    if (this.nodes.typeOf(node) === DIRECTORY_TYPE) {
      if (this.#isWithin(place.parent, node)) return false;
      const alias = this.dentries.firstNameOf(node);
      if (alias !== undefined) this.dentries.remove(alias);
    }
    // Held meanwhile: what the name meant before may be a directory with the only other name of this node below it.
    this.nodes.pin(node);
    if (existing !== undefined) this.drop(existing);
    this.dentries.setEpoch(this.dentries.add(place.parent, place.name, node), this.epoch);
    this.nodes.unpin(node);
    return true;
  }

  /** Remembers that a name does not exist. */
  miss(place: Place): void {
    const existing = this.dentries.find(place.parent, place.name);
    if (existing !== undefined && this.dentries.nodeOf(existing) === undefined) return;
    if (existing !== undefined) this.drop(existing);
    this.dentries.setEpoch(this.dentries.add(place.parent, place.name, undefined), this.epoch);
  }

  /** Forgets whatever is known of a name (UNLINK, RMDIR, INVAL_ENTRY, ENOENT). */
  dropAt(place: Place): void {
    const dentry = this.dentries.find(place.parent, place.name);
    if (dentry !== undefined) this.drop(dentry);
  }

  /** Moves a name over another (RENAME); with `exchange` both stay and swap their nodes. */
  move(from: Place, to: Place, exchange: boolean): void {
    const source = this.dentries.find(from.parent, from.name);
    const node = source === undefined ? undefined : this.dentries.nodeOf(source);
    const target = this.dentries.find(to.parent, to.name);
    if (source !== undefined && source === target) return;
    if (exchange && target !== undefined && source !== undefined) {
      const other = this.dentries.nodeOf(target);
      this.dentries.point(source, other);
      this.dentries.point(target, node);
      return;
    }
    if (node !== undefined) this.nodes.pin(node);
    if (source !== undefined) this.dentries.remove(source);
    if (target !== undefined) this.drop(target);
    if (node === undefined) return;
    if (!this.#isWithin(to.parent, node)) {
      this.dentries.setEpoch(this.dentries.add(to.parent, to.name, node), this.epoch);
    }
    this.release(node);
  }

  /** Drops a dentry and all below it, nodes that nothing holds included (`d_invalidate`). */
  drop(dentry: number): void {
    const stack = [dentry];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const node = this.dentries.nodeOf(top);
      const child = node === undefined ? undefined : this.#onlyReachedBy(top, node);
      if (child !== undefined) {
        stack.push(child);
        continue;
      }
      stack.pop();
      this.dentries.remove(top);
      if (node !== undefined) this.settle(node);
    }
  }

  /** Drops every name of a node, and what lies below. */
  dropNames(node: number): void {
    this.nodes.pin(node);
    let name = this.dentries.firstNameOf(node);
    while (name !== undefined) {
      this.drop(name);
      name = this.dentries.firstNameOf(node);
    }
    this.release(node);
  }

  /**
   * Lets a node go if nothing in the cache needs it (`d_prune_aliases`, `fuse_try_prune_one_inode`); false when it stays
   * because it is open, in use, the root, or a directory with names below it.
   */
  prune(node: number): boolean {
    if (node === this.root || this.nodes.isPinned(node)) return false;
    if (this.dentries.firstChildOf(node) !== undefined) return false;
    this.dropNames(node);
    return true;
  }

  /** Lets go of all that nothing needs, again and again, as directories become free with the last name in them. */
  shrink(): void {
    for (let progress = true; progress; ) {
      progress = false;
      for (let node = this.nodes.top - 1; node > this.root; node--) {
        if (this.nodes.has(node) && this.prune(node)) progress = this.letGo === 'automatic';
      }
    }
  }

  /**
   * Gives a node's lookups back and keeps its row and names, so that the path stays known although the kernel has let go of
   * the inode; quietly, nothing is told to the server. Nothing happens while the node is open or in use.
   */
  letGoOf(node: number, quietly = false): void {
    if (node === this.root || this.nodes.isPinned(node)) return;
    const nlookup = this.nodes.nlookupOf(node);
    if (nlookup === 0) return;
    if (!quietly) this.forgets.push(this.nodes.lowOf(node), this.nodes.highOf(node), nlookup);
    this.nodes.setLookups(node, 0);
  }

  /** `letGoOf` for a node and all below it, those below first (`d_invalidate`, `shrink_dcache_parent`). */
  letGoBelow(node: number): void {
    const stack = [{ node, child: this.dentries.firstChildOf(node) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.child === undefined) {
        stack.pop();
        this.letGoOf(top.node);
        continue;
      }
      const below = this.dentries.nodeOf(top.child);
      top.child = this.dentries.nextSiblingOf(top.child);
      if (below !== undefined) stack.push({ node: below, child: this.dentries.firstChildOf(below) });
    }
  }

  /** Takes lookups of a nodeid back, as a passing FORGET says; nothing happens when the kernel has no such node. */
  forget(low: number, high: number, nlookup: number): void {
    const hashed = this.nodes.locate(low, high);
    const isExact = (node: number): boolean => this.nodes.nlookupOf(node) === nlookup;
    const bad = this.nodes.locateUnhashed(low, high, isExact);
    const node = bad !== undefined && isExact(bad) ? bad : (hashed ?? bad);
    if (node === undefined || node === this.root) return;
    this.nodes.dropLookups(node, nlookup);
    this.settle(node);
  }

  /** Opens a file on a node, which holds the node. */
  open(file: OpenFile): number {
    this.nodes.pin(file.node);
    return this.files.open(file);
  }

  /** Closes an open file and lets go of its node. */
  close(file: number): void {
    const { node } = this.files.read(file);
    this.files.close(file);
    this.release(node);
  }

  /** Lets go of one hold on a node. */
  release(node: number): void {
    if (this.nodes.unpin(node) === 0) this.settle(node);
  }

  /** Gives a node back to the server if nothing holds it any more. */
  settle(node: number): void {
    if (node === this.root || !this.nodes.has(node) || this.nodes.isPinned(node)) return;
    if (this.letGo === 'given') {
      if (this.nodes.nlookupOf(node) === 0) this.#discard(node);
    } else if (this.dentries.firstNameOf(node) === undefined) {
      const nlookup = this.nodes.nlookupOf(node);
      if (nlookup > 0) this.forgets.push(this.nodes.lowOf(node), this.nodes.highOf(node), nlookup);
      this.#discard(node);
    }
  }

  #create(key: NodeKey): number {
    const node = this.nodes.create(key, this.incarnation);
    this.nodes.addLookups(node);
    return node;
  }

  #discard(node: number): void {
    this.nodes.pin(node);
    let name = this.dentries.firstNameOf(node);
    while (name !== undefined) {
      this.dentries.remove(name);
      name = this.dentries.firstNameOf(node);
    }
    let child = this.dentries.firstChildOf(node);
    while (child !== undefined) {
      this.drop(child);
      child = this.dentries.firstChildOf(node);
    }
    this.nodes.remove(node);
  }

  /** A dentry below, when this dentry is the last name of its node and must take what lies below with it. */
  #onlyReachedBy(dentry: number, node: number): number | undefined {
    const first = this.dentries.firstNameOf(node);
    const isLast = first === dentry && this.dentries.nextNameOf(dentry) === undefined;
    return isLast ? this.dentries.firstChildOf(node) : undefined;
  }

  #isWithin(node: number, directory: number): boolean {
    if (this.dentries.firstChildOf(directory) === undefined && node !== directory) return false;
    for (let at: number | undefined = node, depth = 0; at !== undefined && depth < MAX_DEPTH; depth++) {
      if (at === directory) return true;
      const dentry: number | undefined = this.dentries.firstNameOf(at);
      at = dentry === undefined ? undefined : this.dentries.parentOf(dentry);
    }
    return false;
  }
}
