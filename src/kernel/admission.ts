/**
 * What the kernel does with a request before it is sent: passes it on, refuses it because its inode is bad, keeps it back
 * because the strategy says so, or finds out first where the path leads now.
 */

import { Errno } from '../base/errno.js';
import { IN_HEADER_SIZE, NODEID_AT } from '../protocol/header.js';
import { u32At } from '../protocol/raw.js';
import { type Cache, DIRECTORY_TYPE } from './cache.js';
import type { Forget } from './forget-queue.js';
import { batchForgetMessage } from './messages.js';
import type { Shape } from './shape.js';
import type { Strategy } from './strategies/strategy.js';
import type { Walker } from './walker.js';
import { put32, putPair, u53 } from './wire.js';

const BODY_AT = IN_HEADER_SIZE;

/** A request on its way. */
export interface Candidate {
  readonly shape: Shape;
  readonly bytes: Uint8Array;
  /** Incarnation that gave the header's node, where it is known. */
  readonly minted: number | undefined;
}

/** A nodeid by its halves, and the incarnation that gave it, where it is known. */
export interface Meant {
  readonly low: number;
  readonly high: number;
  readonly minted: number | undefined;
}

/** What becomes of it. `bytes` may be another message than the one that came in. */
export type Admission =
  | { readonly kind: 'pass'; readonly bytes: Uint8Array }
  | { readonly kind: 'withhold'; readonly errno: number; readonly by: string };

const withhold = (errno: number, by: string): Admission => ({ kind: 'withhold', errno, by });

/** Decides under one strategy. */
export class Gate {
  readonly #cache: Cache;
  readonly #walker: Walker;
  readonly #strategy: Strategy;

  constructor(cache: Cache, walker: Walker, strategy: Strategy) {
    this.#cache = cache;
    this.#walker = walker;
    this.#strategy = strategy;
  }

  /** Tells what becomes of a request; later, if names have to be looked up first. */
  admit(candidate: Candidate, tell: (admission: Admission) => void) {
    const { shape, bytes } = candidate;
    if (shape.forgets !== undefined) return tell(this.#admitForget(candidate));
    const viaFile = shape.handles.some(
      ({ flagsAt, mask }) => mask === 0 || (u32At(bytes, flagsAt) & mask) !== 0,
    );
    if (viaFile) return tell(this.#admitFile(candidate));
    return this.#admitPath(candidate, 0, tell);
  }

  /**
   * Whether a request that means a node of incarnation `minted` goes out with a nodeid that the running server gave when the
   * node's path was looked up anew. `byPath`: the request is one that walks paths, not one on an open file or a FORGET.
   */
  isFoundAnew(meant: Meant, byPath: boolean): boolean {
    const { nodes, incarnation } = this.#cache;
    const node = this.#meantBy(meant);
    if (node === undefined) return false;
    const now = byPath ? this.#walker.successorOf(node) : node;
    if (nodes.incarnationOf(now) !== incarnation) return false;
    return now !== node || (this.#strategy.recognisedBy === 'path' && nodes.fateOf(node) === 'survived');
  }

  /** The node that a request means, of several that had the same nodeid in different incarnations. */
  #meant(bytes: Uint8Array, at: number, minted: number | undefined): number | undefined {
    return this.#meantBy({ low: u32At(bytes, at), high: u32At(bytes, at + 4), minted });
  }

  #meantBy({ low, high, minted }: Meant): number | undefined {
    const { nodes, incarnation } = this.#cache;
    const hashed = nodes.locate(low, high);
    const old = nodes.locateUnhashed(low, high, (node) => nodes.incarnationOf(node) === minted);
    if (hashed === undefined || old === undefined) return hashed ?? old;
    const meansOld = minted !== undefined && minted < incarnation && nodes.incarnationOf(hashed) > minted;
    return meansOld ? old : hashed;
  }

  /** Whether the kernel keeps back what would let go of this node or of a file on it. */
  #isKeptBack(node: number): boolean {
    const { nodes, incarnation } = this.#cache;
    if (this.#strategy.letGo === 'sent') return false;
    return nodes.isBad(node) || nodes.incarnationOf(node) < incarnation;
  }

  /**
   * A FORGET that let go of the inode when it was recorded gives back the recovery's lookups too; one that gave back less, as
   * for a LOOKUP that found another node than the dentry's, stays as it is. What is forgotten already is left out.
   */
  #admitForget({ shape, bytes, minted }: Candidate): Admission {
    const sites = shape.forgets === 'one' ? [{ at: NODEID_AT, countAt: BODY_AT }] : itemsOf(bytes);
    const forgets = sites.flatMap(({ at, countAt }) => {
      const node = this.#meant(bytes, at, minted);
      const nlookup = node === undefined ? 0 : this.#toForget(node, u53(bytes, countAt));
      return node === undefined || nlookup === 0 ? [] : [this.#halvesOf(node, nlookup)];
    });
    const [first] = forgets;
    if (first === undefined) return withhold(0, 'fuse_evict_inode');
    if (shape.forgets === 'list') return { kind: 'pass', bytes: batchForgetMessage(forgets) };
    putPair(bytes, BODY_AT, first.nlookup, 0);
    return { kind: 'pass', bytes };
  }

  #toForget(node: number, recorded: number): number {
    const { nodes } = this.#cache;
    if (this.#isKeptBack(node)) {
      this.#cache.letGoOf(node, true);
      return 0;
    }
    const nlookup = nodes.nlookupOf(node);
    return recorded >= nlookup - nodes.extraOf(node) ? nlookup : recorded;
  }

  #halvesOf(node: number, nlookup: number): Forget {
    return { low: this.#cache.nodes.lowOf(node), high: this.#cache.nodes.highOf(node), nlookup };
  }

  /** A call on an open file never walks a path: the inode is the one that was opened. */
  #admitFile({ shape, bytes, minted }: Candidate): Admission {
    for (const [index, site] of shape.handles.entries()) {
      const node = this.#meant(bytes, shape.nodesAt[index] ?? NODEID_AT, minted);
      if (node === undefined) continue;
      if (this.#strategy.oldFiles === 'refused' && this.#isOldFile(bytes, site.at, node)) {
        if (site.releases) this.#closeQuietly(bytes, site.at, node);
        return withhold(site.releases ? 0 : Errno.EIO, this.#strategy.name);
      }
      const refused = shape.rule.onBad === 'refused' && this.#cache.nodes.isBad(node);
      if (refused) return withhold(Errno.EIO, shape.rule.by);
    }
    return { kind: 'pass', bytes };
  }

  #fileAt(bytes: Uint8Array, at: number, node: number): number | undefined {
    const directory = this.#cache.nodes.typeOf(node) === DIRECTORY_TYPE;
    return this.#cache.files.find({ low: u32At(bytes, at), high: u32At(bytes, at + 4), node, directory });
  }

  /** A file that is not known is as old as its node. */
  #isOldFile(bytes: Uint8Array, at: number, node: number): boolean {
    const { files, incarnation, nodes } = this.#cache;
    const file = this.#fileAt(bytes, at, node);
    const minted = file === undefined ? nodes.incarnationOf(node) : files.read(file).incarnation;
    return minted < incarnation;
  }

  #closeQuietly(bytes: Uint8Array, at: number, node: number): void {
    const file = this.#fileAt(bytes, at, node);
    if (file !== undefined) this.#cache.close(file);
  }

  #admitPath(candidate: Candidate, index: number, tell: (admission: Admission) => void): void {
    const { bytes, shape, minted } = candidate;
    const at = shape.nodesAt[index];
    const node = at === undefined ? undefined : this.#meant(bytes, at, minted);
    if (at === undefined) tell({ kind: 'pass', bytes });
    else if (node === undefined) this.#admitPath(candidate, index + 1, tell);
    else if (node === this.#cache.root && this.#cache.nodes.isBad(node)) {
      tell(withhold(Errno.EIO, shape.rule.by));
    } else {
      this.#walker.walk(node, (reached) => {
        if ('errno' in reached) {
          tell(withhold(reached.errno, 'fuse_lookup'));
          return;
        }
        put32(bytes, at, this.#cache.nodes.lowOf(reached.node));
        put32(bytes, at + 4, this.#cache.nodes.highOf(reached.node));
        this.#admitPath(candidate, index + 1, tell);
      });
    }
  }
}

const itemsOf = (bytes: Uint8Array): { at: number; countAt: number }[] => {
  const count = Math.min(u32At(bytes, BODY_AT), Math.floor((bytes.length - BODY_AT - 8) / 16));
  return Array.from({ length: count }, (_, item) => ({
    at: BODY_AT + 8 + item * 16,
    countAt: BODY_AT + 16 + item * 16,
  }));
};
