/**
 * Names while a recording is lifted: which node a name in a directory means, and so which objects a request changes that
 * names them only by name, and where nodes from before the recording were. Directories and nodes are symbols.
 */

import { DentryTable } from '../kernel/dentry-table.js';
import { RenameFlag } from '../protocol/flags.js';
import { IN_HEADER_SIZE } from '../protocol/header.js';
import { fieldAt } from '../protocol/layout.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Operation } from '../protocol/operations.js';
import { perSession } from '../protocol/per-session.js';
import { sizeUnder } from '../protocol/prefix.js';
import { u32At } from '../protocol/raw.js';
import type { SymbolStore } from './symbol-store.js';

/** What a request does to names when it succeeds. */
export type NameDeed = 'finds' | 'adds' | 'removes' | 'moves';

/** What a request says about names. Offsets are bytes from its start. */
export interface NameShape {
  readonly deed: NameDeed;
  /** First name. */
  readonly nameAt: number;
  /** RENAME_* flags; absent where there are none. */
  readonly flagsAt: number | undefined;
}

const deedOf = (op: Operation): NameDeed | undefined => {
  const names = op.request.filter((part) => part.kind === 'name' && part.content === 'name').length;
  // TMPFILE has a parent as well, but its name is a placeholder.
  if (names === 0 || !/parent$/i.test(op.header) || op.effect === 'handle') return undefined;
  if (op.ids.some((use) => use.side === 'reply' && use.kind === 'node'))
    return op.effect === 'none' ? 'finds' : 'adds';
  return names === 1 ? 'removes' : 'moves';
};

/** Which names an operation is about under a session; `undefined` when about none. */
export const nameShape = perSession(
  (op: Operation, session: Negotiated): { shape: NameShape | undefined } => {
    const deed = deedOf(op);
    if (deed === undefined) return { shape: undefined };
    const structs = op.request.flatMap((part) => (part.kind === 'struct' ? [part] : []));
    const size = structs.reduce((sum, part) => sum + sizeUnder(part, session), 0);
    const [first] = structs;
    const flags = deed === 'moves' && first !== undefined ? fieldAt(first.layout, 'flags') : undefined;
    const flagsAt = flags && IN_HEADER_SIZE + flags.offset;
    return { shape: { deed, nameAt: IN_HEADER_SIZE + size, flagsAt } };
  },
);

const DOT = 0x2e;
const isDots = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start <= 2 && bytes[start] === DOT && (end - start === 1 || bytes[start + 1] === DOT);

/** Index after the last byte of the NUL-terminated name at `start`. */
const endOfName = (bytes: Uint8Array, start: number): number => {
  const nul = bytes.indexOf(0, start);
  return nul < 0 ? bytes.length : nul;
};

/** A directory's symbol and a name's number. */
interface Place {
  readonly parent: number;
  readonly name: number;
}

/** A good exchange about names. */
export interface NameExchange {
  readonly shape: NameShape;
  readonly request: Uint8Array;
  /** Directories of the request: the second only for RENAME. */
  readonly parent: number;
  readonly newParent: number | undefined;
  /** Node of the reply; absent when it says that there is none, or gives none by its nature. */
  readonly node: number | undefined;
}

/** Names known so far. */
export class Places {
  readonly #symbols: SymbolStore;
  readonly #dentries = new DentryTable();
  /** Where names that were moved before anybody looked them up had been, by `keyOf`. */
  readonly #moved = new Map<string, Place>();

  constructor(symbols: SymbolStore) {
    this.#symbols = symbols;
  }

  /** Applies an exchange; calls back for each node that it changed without naming it by an id. */
  apply({ shape, request, parent, newParent, node }: NameExchange, affected: (symbol: number) => void): void {
    const end = endOfName(request, shape.nameAt);
    const place = this.#place(parent, request, shape.nameAt, end);
    if (shape.deed === 'removes') this.#remove(place, affected);
    else if (shape.deed === 'moves') {
      const to = this.#place(newParent ?? parent, request, end + 1, endOfName(request, end + 1));
      const exchange =
        shape.flagsAt !== undefined && (u32At(request, shape.flagsAt) & RenameFlag.EXCHANGE) !== 0;
      this.#move(place, to, exchange, affected);
    } else if (node !== undefined && !isDots(request, shape.nameAt, end))
      this.#enter(place, node, shape.deed === 'finds');
  }

  /** A directory record names a node. */
  found(parent: number, node: number, bytes: Uint8Array, start: number, end: number): void {
    if (!isDots(bytes, start, end)) this.#enter(this.#place(parent, bytes, start, end), node, true);
  }

  #place(parent: number, bytes: Uint8Array, start: number, end: number): Place {
    return { parent, name: this.#symbols.names.intern(bytes, start, Math.max(start, end)) };
  }

  /** `found`: the name was there before, and may have been since before the recording. */
  #enter(place: Place, node: number, found: boolean): void {
    const dentry = this.#dentries.find(place.parent, place.name);
    if (dentry !== undefined && this.#dentries.nodeOf(dentry) === node) return;
    if (dentry === undefined) this.#dentries.add(place.parent, place.name, node);
    else this.#dentries.point(dentry, node);
    if (this.#symbols.isPlaced(node)) return;
    const isEarlier = this.#symbols.originOf(node) === 'earlier';
    if (isEarlier && !found) return;
    const first = isEarlier ? (this.#moved.get(keyOf(place)) ?? place) : place;
    this.#symbols.place(node, first.parent, first.name);
  }

  #remove(place: Place, affected: (symbol: number) => void): void {
    this.#moved.delete(keyOf(place));
    const dentry = this.#dentries.find(place.parent, place.name);
    if (dentry === undefined) return;
    const node = this.#dentries.nodeOf(dentry);
    if (node !== undefined) affected(node);
    this.#dentries.remove(dentry);
  }

  #move(from: Place, to: Place, exchange: boolean, affected: (symbol: number) => void): void {
    const source = this.#nodeAt(from);
    const target = this.#nodeAt(to);
    if (source !== undefined) affected(source);
    if (target !== undefined) affected(target);
    const origins = { from: this.#moved.get(keyOf(from)) ?? from, to: this.#moved.get(keyOf(to)) ?? to };
    this.#point(to, source, origins.from);
    this.#point(from, exchange ? target : undefined, exchange ? origins.to : undefined);
  }

  /** Lets a name mean a node; without one, what was at `origin` when the recording began. */
  #point(place: Place, node: number | undefined, origin: Place | undefined): void {
    const dentry = this.#dentries.find(place.parent, place.name);
    if (dentry !== undefined) this.#dentries.remove(dentry);
    if (node !== undefined) this.#dentries.add(place.parent, place.name, node);
    if (node === undefined && origin !== undefined) this.#moved.set(keyOf(place), origin);
    else this.#moved.delete(keyOf(place));
  }

  #nodeAt(place: Place): number | undefined {
    const dentry = this.#dentries.find(place.parent, place.name);
    return dentry === undefined ? undefined : this.#dentries.nodeOf(dentry);
  }
}

const keyOf = ({ parent, name }: Place): string => `${parent}/${name}`;
