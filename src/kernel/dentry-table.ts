/**
 * Names of nodes: which name in which directory the kernel believes to be which node, as columns. A node may have several
 * names, a name may be known not to exist. Nodes and names are row numbers of other tables.
 */

import { Column, Rows } from './column.js';
import { hashPair, RowIndex } from './row-index.js';

/** The dentry cache. Links between rows are stored plus one, so that an untouched cell means none. */
export class DentryTable {
  readonly #rows = new Rows();
  readonly #parent = new Column();
  readonly #name = new Column();
  readonly #node = new Column();
  readonly #epoch = new Column();
  readonly #nextName = new Column();
  readonly #nextSibling = new Column();
  readonly #previousSibling = new Column();
  readonly #firstName = new Column();
  readonly #firstChild = new Column();
  readonly #index = new RowIndex((dentry) => hashPair(this.#name.get(dentry), this.#parent.get(dentry)));

  /** Dentries in the cache, negative ones too. */
  get size(): number {
    return this.#rows.live;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    const columns = [this.#parent, this.#name, this.#node, this.#epoch, this.#nextName, this.#nextSibling];
    columns.push(this.#previousSibling, this.#firstName, this.#firstChild);
    return columns.reduce((sum, column) => sum + column.bytes, this.#rows.bytes + this.#index.bytes);
  }

  /** The dentry of a name in a directory; `undefined` when nothing is known about it. */
  find(parent: number, name: number): number | undefined {
    const index = this.#index;
    for (let place = index.home(hashPair(name, parent)); ; place = index.after(place)) {
      const dentry = index.at(place);
      if (dentry === undefined) return undefined;
      if (this.#parent.get(dentry) === parent && this.#name.get(dentry) === name) return dentry;
    }
  }

  /** Adds a name that is not in the cache; without a node it is a negative dentry. */
  add(parent: number, name: number, node: number | undefined): number {
    const dentry = this.#rows.take();
    this.#parent.set(dentry, parent);
    this.#name.set(dentry, name);
    this.#epoch.set(dentry, 0);
    this.#attach(dentry, node);
    this.#joinSiblings(dentry, parent);
    this.#index.add(dentry, hashPair(name, parent));
    return dentry;
  }

  /** Forgets a name. */
  remove(dentry: number): void {
    this.#index.remove(dentry, hashPair(this.#name.get(dentry), this.#parent.get(dentry)));
    this.#detach(dentry);
    this.#leaveSiblings(dentry);
    this.#rows.give(dentry);
  }

  /** Lets a name mean another node, or none. */
  point(dentry: number, node: number | undefined): void {
    this.#detach(dentry);
    this.#attach(dentry, node);
  }

  /** The node that a name means; `undefined` for a negative dentry. */
  nodeOf(dentry: number): number | undefined {
    return some(this.#node.get(dentry));
  }

  /** The directory that holds the name. */
  parentOf(dentry: number): number {
    return this.#parent.get(dentry);
  }

  /** The name, as a number of `Names`. */
  nameOf(dentry: number): number {
    return this.#name.get(dentry);
  }

  /** Epoch at the last LOOKUP of the name (`FUSE_NOTIFY_INC_EPOCH` makes older ones be asked again). */
  epochOf(dentry: number): number {
    return this.#epoch.get(dentry);
  }

  /** Notes the epoch of a LOOKUP. */
  setEpoch(dentry: number, epoch: number): void {
    this.#epoch.set(dentry, epoch);
  }

  /** First of a node's names, the one it was last looked up by; `undefined` when it has none. */
  firstNameOf(node: number): number | undefined {
    return some(this.#firstName.get(node));
  }

  /** Another name of the same node; `undefined` after the last. */
  nextNameOf(dentry: number): number | undefined {
    return some(this.#nextName.get(dentry));
  }

  /** First dentry in a directory; `undefined` when none is cached. */
  firstChildOf(directory: number): number | undefined {
    return some(this.#firstChild.get(directory));
  }

  /** Next dentry in the same directory; `undefined` after the last. */
  nextSiblingOf(dentry: number): number | undefined {
    return some(this.#nextSibling.get(dentry));
  }

  #attach(dentry: number, node: number | undefined): void {
    this.#node.set(dentry, node === undefined ? 0 : node + 1);
    if (node === undefined) return;
    this.#nextName.set(dentry, this.#firstName.get(node));
    this.#firstName.set(node, dentry + 1);
  }

  #detach(dentry: number): void {
    const node = some(this.#node.get(dentry));
    if (node === undefined) return;
    const next = this.#nextName.get(dentry);
    if (this.#firstName.get(node) === dentry + 1) this.#firstName.set(node, next);
    else this.#nextName.set(this.#nameBefore(node, dentry), next);
    this.#nextName.set(dentry, 0);
  }

  /** Walks the node's names: files with many hard links are rare enough. */
  #nameBefore(node: number, dentry: number): number {
    let before = this.#firstName.get(node) - 1;
    while (this.#nextName.get(before) !== dentry + 1) before = this.#nextName.get(before) - 1;
    return before;
  }

  #joinSiblings(dentry: number, parent: number): void {
    const next = this.#firstChild.get(parent);
    this.#nextSibling.set(dentry, next);
    this.#previousSibling.set(dentry, 0);
    if (next !== 0) this.#previousSibling.set(next - 1, dentry + 1);
    this.#firstChild.set(parent, dentry + 1);
  }

  #leaveSiblings(dentry: number): void {
    const next = this.#nextSibling.get(dentry);
    const previous = this.#previousSibling.get(dentry);
    if (previous === 0) this.#firstChild.set(this.#parent.get(dentry), next);
    else this.#nextSibling.set(previous - 1, next);
    if (next !== 0) this.#previousSibling.set(next - 1, previous);
  }
}

const some = (cell: number): number | undefined => (cell === 0 ? undefined : cell - 1);
