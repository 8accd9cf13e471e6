/**
 * The symbols of a plan as columns, and while it is lifted the numbers that they stand for: which symbol a nodeid or fh
 * means now, by the counts that the kernel keeps. It knows no messages.
 */

import { ROOT_ID } from '../base/ids.js';
import { Column } from '../kernel/column.js';
import { Names } from '../kernel/names.js';
import { hashPair, RowIndex } from '../kernel/row-index.js';
import { textOf } from '../protocol/byte-string.js';
import { type Origin, type PlanSymbol, ROOT_SYMBOL, type Sequence } from './plan.js';

/** An id by its halves. A handle also by its node (a symbol); for a node that is `undefined`. */
export interface IdKey {
  readonly low: number;
  readonly high: number;
  readonly node: number | undefined;
}

/** What a reply says of a node that it mints. */
export interface NodeFacts {
  readonly generationLow: number;
  readonly generationHigh: number;
  /** `mode & S_IFMT`; 0 when the reply has no attributes. */
  readonly type: number;
}

const S_IFMT_SHIFT = 12;
const TYPE_BITS = 0xf;
const EARLIER = 1 << 4;
const HAS_GENERATION = 1 << 5;
const OVER = 1 << 6;
/** Deeper than PATH_MAX allows: names that form a ring. */
const MAX_DEPTH = 4096;

const big = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

/** Symbols by number and by what they stand for. Links to other rows are stored plus one, so that 0 means none. */
export class SymbolStore implements Sequence<PlanSymbol> {
  readonly names = new Names();
  #length = 0;
  readonly #low = new Column();
  readonly #high = new Column();
  readonly #node = new Column();
  readonly #generationLow = new Column();
  readonly #generationHigh = new Column();
  readonly #bits = new Column();
  /** Lookups of a node or opens of a handle that were seen and not given back. */
  readonly #count = new Column();
  readonly #mintedBy = new Column();
  readonly #parent = new Column();
  readonly #name = new Column();
  /** An older node of the same nodeid that the kernel still holds (bad, because its generation changed). */
  readonly #older = new Column();
  /** Another node of the same object. */
  readonly #sibling = new Column();
  readonly #index = new RowIndex((row) => this.#hashOf(row));

  constructor() {
    this.#add({ low: Number(ROOT_ID), high: 0, node: undefined }, 0);
    this.#count.set(ROOT_SYMBOL, 1);
  }

  get length(): number {
    return this.#length;
  }

  at(id: number): PlanSymbol | undefined {
    return id >= 0 && id < this.#length ? new StoredSymbol(this, id) : undefined;
  }

  *[Symbol.iterator](): Iterator<PlanSymbol> {
    for (let id = 0; id < this.#length; id++) yield new StoredSymbol(this, id);
  }

  /** The symbol that a number in a request means; made as one of an earlier time when it was never minted. */
  resolve(key: IdKey): number {
    return this.#find(key) ?? this.#add(key, EARLIER);
  }

  /** The symbol of a node that a reply mints (`fuse_iget`), counting the lookup; `step` is undefined before the plan. */
  mintNode(key: IdKey, facts: NodeFacts, step: number | undefined): number {
    const known = this.#find(key);
    if (known === undefined) return this.#mint(key, facts, step);
    if (known === ROOT_SYMBOL) return known;
    if (this.#isOver(known)) return this.#mint(key, facts, step);
    if (this.#isStale(known, facts)) {
      const minted = this.#mint(key, facts, step);
      this.#older.set(minted, known + 1);
      return minted;
    }
    this.#count.set(known, this.#count.get(known) + 1);
    this.#describe(known, facts);
    return known;
  }

  /** The symbol of a handle that a reply mints, counting the open. */
  mintHandle(key: IdKey, step: number | undefined): number {
    const known = this.#find(key);
    if (known !== undefined && !this.#isOver(known)) {
      this.#count.set(known, this.#count.get(known) + 1);
      return known;
    }
    return this.#mint(key, undefined, step);
  }

  /** Takes lookups back, and gives the symbol whose they were. */
  forget(key: IdKey, nlookup: number): number {
    const latest = this.resolve(key);
    const older = this.#older.get(latest) - 1;
    // Which of two nodes is meant shows only when the count fits one exactly.
    const fits = older >= 0 && this.#count.get(latest) !== nlookup && this.#count.get(older) === nlookup;
    const symbol = fits ? older : latest;
    if (symbol === ROOT_SYMBOL) return symbol;
    const left = this.#count.get(symbol) - nlookup;
    // Of a node from earlier an unknown number of lookups was not seen.
    const isOver = this.#isEarlier(symbol) ? left < 0 : left <= 0;
    this.#count.set(symbol, Math.max(0, left));
    if (isOver) this.#end(symbol);
    return symbol;
  }

  /** Closes a handle once, and gives its symbol. */
  release(key: IdKey): number {
    const symbol = this.resolve(key);
    const left = Math.max(0, this.#count.get(symbol) - 1);
    this.#count.set(symbol, left);
    if (left === 0) this.#end(symbol);
    return symbol;
  }

  /** What was minted so far belongs to a time before the plan. */
  startPlan(): void {
    for (let id = ROOT_SYMBOL + 1; id < this.#length; id++) {
      this.#bits.set(id, this.#bits.get(id) | EARLIER);
      this.#mintedBy.set(id, 0);
    }
  }

  /** Notes the first name of a node; later ones do not count. */
  place(symbol: number, parent: number, name: number): void {
    if (symbol === ROOT_SYMBOL || this.#parent.get(symbol) !== 0) return;
    this.#parent.set(symbol, parent + 1);
    this.#name.set(symbol, name);
  }

  /** Two nodes are names of one object: servers that number names give each hard link a nodeid of its own. */
  link(one: number, other: number): void {
    const [from, to] = [this.objectOf(one), this.objectOf(other)];
    if (from !== to) this.#sibling.set(Math.max(from, to), Math.min(from, to) + 1);
  }

  /** The symbol that stands for all symbols of one object. */
  objectOf(symbol: number): number {
    let at = symbol;
    for (let next = this.#sibling.get(at); next !== 0; next = this.#sibling.get(at)) at = next - 1;
    return at;
  }

  isHandle(symbol: number): boolean {
    return this.#node.get(symbol) !== 0;
  }

  isPlaced(symbol: number): boolean {
    return symbol === ROOT_SYMBOL || this.#parent.get(symbol) !== 0;
  }

  originOf(symbol: number): Origin {
    if (symbol === ROOT_SYMBOL) return 'root';
    return this.#isEarlier(symbol) ? 'earlier' : 'step';
  }

  mintedBy(symbol: number): number | undefined {
    return some(this.#mintedBy.get(symbol));
  }

  nodeOf(symbol: number): number | undefined {
    return some(this.#node.get(symbol));
  }

  recordedOf(symbol: number): bigint {
    return big(this.#low.get(symbol), this.#high.get(symbol));
  }

  typeOf(symbol: number): number | undefined {
    return (this.#bits.get(symbol) & TYPE_BITS) << S_IFMT_SHIFT || undefined;
  }

  generationOf(symbol: number): bigint | undefined {
    if ((this.#bits.get(symbol) & HAS_GENERATION) === 0) return undefined;
    return big(this.#generationLow.get(symbol), this.#generationHigh.get(symbol));
  }

  /** See `PlanSymbol.path`. */
  pathOf(symbol: number): string | undefined {
    const parts: string[] = [];
    for (let at = this.nodeOf(symbol) ?? symbol; at !== ROOT_SYMBOL; at = this.#parent.get(at) - 1) {
      if (this.#parent.get(at) === 0 || parts.length === MAX_DEPTH) return undefined;
      const name = this.names.read(this.#name.get(at));
      parts.push(textOf(name, 0, name.length));
    }
    return `/${parts.reverse().join('/')}`;
  }

  #mint(key: IdKey, facts: NodeFacts | undefined, step: number | undefined): number {
    const symbol = this.#add(key, step === undefined ? EARLIER : 0);
    this.#count.set(symbol, 1);
    this.#mintedBy.set(symbol, step === undefined ? 0 : step + 1);
    if (facts !== undefined) this.#describe(symbol, facts);
    return symbol;
  }

  #add(key: IdKey, bits: number): number {
    const previous = this.#find(key);
    if (previous !== undefined) this.#index.remove(previous, this.#hashOf(previous));
    const symbol = this.#length++;
    this.#low.set(symbol, key.low);
    this.#high.set(symbol, key.high);
    this.#node.set(symbol, key.node === undefined ? 0 : key.node + 1);
    this.#bits.set(symbol, bits);
    this.#index.add(symbol, this.#hashOf(symbol));
    return symbol;
  }

  /** The last symbol of a number, over or not. */
  #find({ low, high, node }: IdKey): number | undefined {
    const owner = node === undefined ? 0 : node + 1;
    const index = this.#index;
    for (let place = index.home(hashOf(low, high, owner)); ; place = index.after(place)) {
      const row = index.at(place);
      if (row === undefined) return undefined;
      if (this.#low.get(row) === low && this.#high.get(row) === high && this.#node.get(row) === owner)
        return row;
    }
  }

  #hashOf(row: number): number {
    return hashOf(this.#low.get(row), this.#high.get(row), this.#node.get(row));
  }

  #describe(symbol: number, { generationLow, generationHigh, type }: NodeFacts): void {
    const bits = this.#bits.get(symbol);
    if ((bits & HAS_GENERATION) !== 0 && (bits & TYPE_BITS) !== 0) return;
    this.#generationLow.set(symbol, generationLow);
    this.#generationHigh.set(symbol, generationHigh);
    this.#bits.set(symbol, bits | HAS_GENERATION | ((type >>> S_IFMT_SHIFT) & TYPE_BITS));
  }

  /** Another generation or type makes it another node (`fuse_stale_inode`); the kernel compares 32 bits of the former. */
  #isStale(symbol: number, facts: NodeFacts): boolean {
    const bits = this.#bits.get(symbol);
    const type = bits & TYPE_BITS;
    const told = (facts.type >>> S_IFMT_SHIFT) & TYPE_BITS;
    if (type !== 0 && told !== 0 && type !== told) return true;
    return (bits & HAS_GENERATION) !== 0 && this.#generationLow.get(symbol) !== facts.generationLow;
  }

  #isEarlier(symbol: number): boolean {
    return (this.#bits.get(symbol) & EARLIER) !== 0;
  }

  #isOver(symbol: number): boolean {
    return (this.#bits.get(symbol) & OVER) !== 0;
  }

  #end(symbol: number): void {
    this.#bits.set(symbol, this.#bits.get(symbol) | OVER);
  }
}

class StoredSymbol implements PlanSymbol {
  readonly id: number;
  readonly #store: SymbolStore;

  constructor(store: SymbolStore, id: number) {
    this.#store = store;
    this.id = id;
  }

  get kind(): 'node' | 'handle' {
    return this.#store.isHandle(this.id) ? 'handle' : 'node';
  }

  get origin(): Origin {
    return this.#store.originOf(this.id);
  }

  get mintedBy(): number | undefined {
    return this.#store.mintedBy(this.id);
  }

  get node(): number | undefined {
    return this.#store.nodeOf(this.id);
  }

  get path(): string | undefined {
    return this.#store.pathOf(this.id);
  }

  get type(): number | undefined {
    return this.#store.typeOf(this.id);
  }

  get recorded(): bigint {
    return this.#store.recordedOf(this.id);
  }

  get generation(): bigint | undefined {
    return this.#store.generationOf(this.id);
  }
}

const OWNER_MIX = 0x27d4eb2f;
const hashOf = (low: number, high: number, owner: number): number =>
  hashPair(low ^ Math.imul(owner, OWNER_MIX), high);

const some = (cell: number): number | undefined => (cell === 0 ? undefined : cell - 1);
