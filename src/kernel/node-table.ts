/**
 * Inodes of the virtual kernel's cache, as columns: what the kernel keeps in `struct fuse_inode` and in its inode hash.
 * A node is a row number, valid until `remove`. Names (`dentry-table.ts`), messages and strategies are not known here.
 */

import { type NodeId, nodeId } from '../base/ids.js';
import { Column, Rows } from './column.js';
import { hashPair, RowIndex } from './row-index.js';

/** What a reply says that a nodeid stands for, in the parts that the kernel compares. */
export interface NodeKey {
  /** Low and high half of the nodeid. */
  readonly low: number;
  readonly high: number;
  /** Low 32 bits of the generation: `fuse_iget` takes it as an int, the upper half is never compared. */
  readonly generation: number;
  /** File type, `mode & S_IFMT`. */
  readonly type: number;
}

/** What a recovery found out about a node that an earlier incarnation handed out. */
export type Fate = 'unknown' | 'asked' | 'survived' | 'lost';
const fates: readonly Fate[] = ['unknown', 'asked', 'survived', 'lost'];

const TYPE_SHIFT = 12;
const TYPE_BITS = 0xf;
const BAD = 1 << 4;
const UNHASHED = 1 << 5;
const LIVE = 1 << 6;
const FATE_SHIFT = 8;
const FATE_BITS = 3 << FATE_SHIFT;
const INCARNATION_SHIFT = 16;

/** Inodes by nodeid. A bad node may share its nodeid with the good one that replaced it. */
export class NodeTable {
  readonly #rows = new Rows();
  readonly #low = new Column();
  readonly #high = new Column();
  readonly #generation = new Column();
  readonly #nlookup = new Column();
  readonly #extra = new Column();
  readonly #pins = new Column();
  readonly #bits = new Column();
  readonly #index = new RowIndex((node) => hashPair(this.#low.get(node), this.#high.get(node)));

  /** Nodes in the table, bad ones too. */
  get size(): number {
    return this.#rows.live;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    const columns = [
      this.#low,
      this.#high,
      this.#generation,
      this.#nlookup,
      this.#extra,
      this.#pins,
      this.#bits,
    ];
    return columns.reduce((sum, column) => sum + column.bytes, this.#rows.bytes + this.#index.bytes);
  }

  /** The node that the kernel would reach by this nodeid; `undefined` when it has none. */
  find(id: NodeId): number | undefined {
    return this.locate(Number(BigInt.asUintN(32, id)), Number(id >> 32n));
  }

  /** `find` by the halves of the nodeid, without a bigint. */
  locate(low: number, high: number): number | undefined {
    const index = this.#index;
    for (let place = index.home(hashPair(low, high)); ; place = index.after(place)) {
      const node = index.at(place);
      if (node === undefined) return undefined;
      if (this.#low.get(node) !== low || this.#high.get(node) !== high) continue;
      if ((this.#bits.get(node) & UNHASHED) === 0) return node;
    }
  }

  /** A bad node that lost its place in the hash, the wanted one of several if there is one; `undefined` when none. */
  locateUnhashed(low: number, high: number, isWanted: (node: number) => boolean): number | undefined {
    const index = this.#index;
    let found: number | undefined;
    for (let place = index.home(hashPair(low, high)); ; place = index.after(place)) {
      const node = index.at(place);
      if (node === undefined) return found;
      if (this.#low.get(node) !== low || this.#high.get(node) !== high) continue;
      if ((this.#bits.get(node) & UNHASHED) === 0) continue;
      if (isWanted(node)) return node;
      found ??= node;
    }
  }

  /** A new node with no lookups; the caller has seen to it that no other node is hashed by this nodeid. */
  create(key: NodeKey, incarnation: number): number {
    const node = this.#rows.take();
    this.#low.set(node, key.low);
    this.#high.set(node, key.high);
    this.#generation.set(node, key.generation);
    this.#nlookup.set(node, 0);
    if (this.#extra.get(node) !== 0) this.#extra.set(node, 0);
    this.#pins.set(node, 0);
    this.#bits.set(node, (key.type >>> TYPE_SHIFT) | LIVE | (incarnation << INCARNATION_SHIFT));
    this.#index.add(node, hashPair(key.low, key.high));
    return node;
  }

  /** Takes a node out of the table; its row may be used again at once. */
  remove(node: number): void {
    this.#index.remove(node, hashPair(this.#low.get(node), this.#high.get(node)));
    this.#bits.set(node, 0);
    this.#rows.give(node);
  }

  /** Whether a row holds a node now. */
  has(node: number): boolean {
    return (this.#bits.get(node) & LIVE) !== 0;
  }

  /** One more than the highest row in use, to walk the table with `has`. */
  get top(): number {
    return this.#rows.top;
  }

  /** Nodeid of a node. */
  idOf(node: number): NodeId {
    return nodeId((BigInt(this.#high.get(node)) << 32n) | BigInt(this.#low.get(node)));
  }

  /** Low half of the nodeid. */
  lowOf(node: number): number {
    return this.#low.get(node);
  }

  /** High half of the nodeid. */
  highOf(node: number): number {
    return this.#high.get(node);
  }

  /** Low 32 bits of the generation. */
  generationOf(node: number): number {
    return this.#generation.get(node);
  }

  /** File type, `mode & S_IFMT`. */
  typeOf(node: number): number {
    return (this.#bits.get(node) & TYPE_BITS) << TYPE_SHIFT;
  }

  /** Whether a reply's generation or type differs from what is cached (`fuse_stale_inode`). */
  isStale(node: number, key: NodeKey): boolean {
    return this.#generation.get(node) !== key.generation || this.typeOf(node) !== key.type;
  }

  /** Lookups granted by the server and not yet forgotten (`fuse_inode.nlookup`). */
  nlookupOf(node: number): number {
    return this.#nlookup.get(node);
  }

  /** Counts lookups. */
  addLookups(node: number, count = 1): void {
    this.#nlookup.set(node, this.#nlookup.get(node) + count);
  }

  /** Notes that the last lookup is one that a recovery asked for, beyond those of a recording. */
  addExtra(node: number): void {
    this.#extra.set(node, this.#extra.get(node) + 1);
  }

  /** Lookups that recoveries asked for. */
  extraOf(node: number): number {
    return this.#extra.get(node);
  }

  /** Takes lookups away, never below 0; gives what is left. */
  dropLookups(node: number, count: number): number {
    const left = Math.max(0, this.#nlookup.get(node) - count);
    this.#nlookup.set(node, left);
    return left;
  }

  /** Sets the count, where a recovery starts counting anew. */
  setLookups(node: number, count: number): void {
    this.#nlookup.set(node, count);
  }

  /** Holds a node against eviction: an open file, or a request under way. */
  pin(node: number): void {
    this.#pins.set(node, this.#pins.get(node) + 1);
  }

  /** Lets go of a hold; gives how many are left. */
  unpin(node: number): number {
    const left = Math.max(0, this.#pins.get(node) - 1);
    this.#pins.set(node, left);
    return left;
  }

  /** Whether an open file or a request under way holds the node. */
  isPinned(node: number): boolean {
    return this.#pins.get(node) > 0;
  }

  /** Whether I/O on the node fails with EIO (`fuse_is_bad`). */
  isBad(node: number): boolean {
    return (this.#bits.get(node) & BAD) !== 0;
  }

  /**
   * `fuse_make_bad`. A node that is only marked stays in the hash, and a later LOOKUP of its nodeid finds it bad (as after a
   * GETATTR that changed the type); `fuse_iget` unhashes as well, so that a new inode takes the nodeid.
   */
  makeBad(node: number, hash: 'keep' | 'unhash'): void {
    this.#bits.set(node, this.#bits.get(node) | BAD | (hash === 'unhash' ? UNHASHED : 0));
  }

  /** Incarnation that handed the nodeid out or last confirmed it. */
  incarnationOf(node: number): number {
    return this.#bits.get(node) >>> INCARNATION_SHIFT;
  }

  /** Notes the incarnation that confirmed the nodeid; modulo 65,536. */
  confirm(node: number, incarnation: number): void {
    const rest = this.#bits.get(node) & ((1 << INCARNATION_SHIFT) - 1);
    this.#bits.set(node, rest | (incarnation << INCARNATION_SHIFT));
  }

  /** What the running recovery knows of the node. */
  fateOf(node: number): Fate {
    return fates[(this.#bits.get(node) & FATE_BITS) >>> FATE_SHIFT] ?? 'unknown';
  }

  /** Notes what the running recovery found out. */
  setFate(node: number, fate: Fate): void {
    const rest = this.#bits.get(node) & ~FATE_BITS;
    this.#bits.set(node, rest | (fates.indexOf(fate) << FATE_SHIFT));
  }
}
