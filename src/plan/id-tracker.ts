/**
 * Tells which symbols the ids of requests and replies mean, and what an exchange does to them. Which request a reply
 * belongs to is not known here.
 */

import { NODEID_AT } from '../protocol/header.js';
import { type IdVisitor, replyIdMap, requestIdMap, visitIds } from '../protocol/id-sites.js';
import { node as headerNode } from '../protocol/id-uses.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import { linkedInodeAt, nodeFactsAt } from './entry-bytes.js';
import { nameShape, Places } from './places.js';
import { recordNameEnd, recordNameStart } from './record-name.js';
import { type IdKey, SymbolStore } from './symbol-store.js';

/** Told of an id: where it is, and which symbol it means. Uniques mean none. */
export type SymbolVisitor = (use: IdUse, offset: number, symbol: number | undefined) => void;

/** A good exchange, when its reply has come. */
export interface Exchange {
  readonly op: Operation;
  readonly request: () => Uint8Array;
  readonly reply: Uint8Array;
  /** Nodes that the request names, that of its header first. */
  readonly nodes: readonly number[];
  /** Step of the plan; `undefined` for a request from before it. */
  readonly step: number | undefined;
}

const countAt = (bytes: Uint8Array, at: number): number => u32At(bytes, at) + u32At(bytes, at + 4) * 2 ** 32;

/** The symbols so far, and the names and links that connect them. */
export class IdTracker {
  readonly symbols = new SymbolStore();
  readonly #places = new Places(this.symbols);
  /** A node of each object that has several links, by inode number. */
  readonly #linked = new Map<number, number>();
  /** The frame whose ids are visited, and who is told of them. Kept here, so that no frame needs closures of its own. */
  #bytes: Uint8Array = new Uint8Array(0);
  #tell: SymbolVisitor = () => undefined;
  #step: number | undefined;
  /** The node that handles belong to: the last one seen in the exchange. */
  #node: number | undefined;
  /** Node that the reply at hand minted last. */
  #minted: number | undefined;

  /** Goes through the ids of a request that was sent; of an unknown operation only the header's node is one. */
  sent(op: Operation | undefined, bytes: Uint8Array, session: Negotiated, tell: SymbolVisitor): void {
    this.#bytes = bytes;
    this.#tell = tell;
    this.#node = undefined;
    if (op !== undefined) visitIds(requestIdMap(op, session), bytes, this.#used);
    else if (u32At(bytes, NODEID_AT) !== 0 || u32At(bytes, NODEID_AT + 4) !== 0)
      this.#used(headerNode, NODEID_AT, -1, -1);
  }

  /** Goes through the ids that a good reply mints. */
  answered({ op, reply, nodes, step }: Exchange, session: Negotiated, tell: SymbolVisitor): void {
    this.#bytes = reply;
    this.#tell = tell;
    this.#step = step;
    this.#node = nodes[0];
    this.#minted = undefined;
    visitIds(replyIdMap(op, session), reply, this.#created);
    // LINK alone names a node besides the directory in its header and mints one.
    const [, linked] = nodes;
    if (linked !== undefined && this.#minted !== undefined) this.symbols.link(linked, this.#minted);
  }

  /** Follows the names of the exchange that was answered last; tells of each node that it changed without naming it. */
  named({ op, request, nodes }: Exchange, session: Negotiated, affected: (symbol: number) => void): void {
    const { shape } = nameShape(op, session);
    const [parent, newParent] = nodes;
    if (shape === undefined || parent === undefined) return;
    this.#places.apply({ shape, request: request(), parent, newParent, node: this.#minted }, affected);
  }

  readonly #used: IdVisitor = (use, offset, count) => {
    if (use.kind === 'node') {
      const key = this.#keyAt(offset);
      const forgets = use.act === 'release';
      this.#node = forgets
        ? this.symbols.forget(key, countAt(this.#bytes, count))
        : this.symbols.resolve(key);
      this.#tell(use, offset, this.#node);
    } else if (use.kind === 'handle') {
      const key = this.#keyAt(offset, this.#node);
      this.#tell(use, offset, use.act === 'release' ? this.symbols.release(key) : this.symbols.resolve(key));
    } else if (use.kind === 'unique') this.#tell(use, offset, undefined);
  };

  readonly #created: IdVisitor = (use, offset) => {
    if (use.kind === 'node') {
      const bytes = this.#bytes;
      const symbol = this.symbols.mintNode(this.#keyAt(offset), nodeFactsAt(bytes, offset), this.#step);
      this.#minted = symbol;
      this.#linkByNumber(symbol, offset);
      if (use.each === undefined) this.#node = symbol;
      else this.#foundRecord(symbol, offset);
      this.#tell(use, offset, symbol);
    } else if (use.kind === 'handle')
      this.#tell(use, offset, this.symbols.mintHandle(this.#keyAt(offset, this.#node), this.#step));
  };

  #keyAt(offset: number, node?: number): IdKey {
    return { low: u32At(this.#bytes, offset), high: u32At(this.#bytes, offset + 4), node };
  }

  /** Entries of files with several links and one inode number are one object, whatever their nodeids. */
  #linkByNumber(symbol: number, offset: number): void {
    const ino = linkedInodeAt(this.#bytes, offset);
    if (ino === undefined) return;
    const known = this.#linked.get(ino);
    if (known === undefined) this.#linked.set(ino, symbol);
    else this.symbols.link(known, symbol);
  }

  /** A directory record: its directory is the node of the request. */
  #foundRecord(symbol: number, offset: number): void {
    const start = recordNameStart(offset);
    const end = recordNameEnd(this.#bytes, offset);
    const directory = this.#node;
    if (directory !== undefined && start < end)
      this.#places.found(directory, symbol, this.#bytes, start, end);
  }
}
