/**
 * Finds out where a path leads now: looks up, one name after the other, what the kernel no longer believes of the path to a
 * node. Several requests may wait for the same walk.
 */

import { Errno } from '../base/errno.js';
import type { Cache } from './cache.js';
import { entryIsInvalid, entryKey, isNoNode, isRootKey } from './entry.js';
import type { Answer } from './in-flight.js';
import { revalidate } from './revalidate.js';
import type { OnUse } from './strategies/strategy.js';

const ENTRY_AT = 16;

/** Where a walk ended: the node that stands there now, or an errno. */
export type Reached = { readonly node: number } | { readonly errno: number };

/** What a walk needs of the kernel. */
export interface WalkHost {
  readonly cache: Cache;
  /** Nodes that took the place of others, also in earlier recoveries: a path goes on from the last. */
  readonly successors: Map<number, number>;
  onUse(): OnUse;
  /** Whether old nodes are given back without telling the server. */
  quiet(): boolean;
  lookup(directory: number, dentry: number, answered: (answer: Answer) => void): void;
  survived(node: number, reply: Uint8Array): void;
  lost(node: number): void;
  /** The path of `from` leads to `to` now. */
  moved(from: number, to: number): void;
}

/** The walks under way. */
export class Walker {
  readonly #host: WalkHost;
  readonly #waiting = new Map<number, ((reached: Reached) => void)[]>();

  constructor(host: WalkHost) {
    this.#host = host;
  }

  /** Whether a path to this node has to be walked before it is used. */
  isNeeded(node: number): boolean {
    const { cache } = this.#host;
    if (node === cache.root) return false;
    if (cache.nodes.isBad(node)) return true;
    const onUse = this.#host.onUse();
    if (onUse === 'revalidate') return cache.nodes.incarnationOf(node) < cache.incarnation;
    return onUse === 'epoch' && this.#hasOldName(node);
  }

  /** The node that took a node's place on its path; the node itself when none did. */
  successorOf(node: number): number {
    const { successors, cache } = this.#host;
    let at = node;
    for (
      let next = successors.get(at);
      next !== undefined && cache.nodes.has(next);
      next = successors.get(at)
    )
      at = next;
    return at;
  }

  /** Ends every walk, as its server died. */
  abort(): void {
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const tell of waiting) tell({ errno: Errno.ECONNABORTED });
  }

  /** Tells which node stands at a node's path now; at once when nothing has to be looked up. */
  walk(start: number, tell: (reached: Reached) => void): void {
    const node = this.successorOf(start);
    const others = this.#waiting.get(node);
    if (!this.isNeeded(node)) tell({ node });
    else if (others !== undefined) others.push(tell);
    else {
      this.#waiting.set(node, [tell]);
      this.#step(node);
    }
  }

  #step(node: number): void {
    const { dentries } = this.#host.cache;
    const dentry = dentries.firstNameOf(node);
    if (dentry === undefined) {
      this.#end(node, { errno: Errno.EIO });
      return;
    }
    this.walk(dentries.parentOf(dentry), (reached) => {
      if ('errno' in reached) this.#end(node, reached);
      else this.#ask(node, reached.node);
    });
  }

  #ask(node: number, directory: number) {
    const { cache } = this.#host;
    const dentry = cache.dentries.firstNameOf(node);
    if (dentry === undefined) return this.#end(node, { errno: Errno.EIO });
    const compares = this.#host.onUse() === 'revalidate' && !cache.nodes.isBad(node);
    if (!compares && this.#host.onUse() === 'epoch') cache.letGoBelow(node);
    return this.#host.lookup(directory, dentry, (answer) =>
      compares ? this.#compare(node, directory, answer) : this.#take(node, directory, answer),
    );
  }

  /** `fuse_dentry_revalidate`: the same node goes on, another one is looked up once more and takes the place. */
  #compare(node: number, directory: number, answer: Answer) {
    const { cache } = this.#host;
    const verdict = revalidate(cache, node, answer);
    if (verdict === 'same') {
      // What another instance granted is not this one's to get back.
      cache.nodes.setLookups(node, 1);
      this.#host.survived(node, answer.reply);
      return this.#end(node, { node });
    }
    this.#host.lost(node);
    if (verdict === 'gone') return this.#end(node, { errno: answer.errno || Errno.ENOENT });
    return this.#ask(node, directory);
  }

  /** `fuse_lookup`: what the server says is taken for the name. */
  #take(node: number, directory: number, answer: Answer) {
    const { cache } = this.#host;
    const key = answer.errno === 0 ? entryKey(answer.reply, ENTRY_AT) : undefined;
    if (key === undefined || isNoNode(key)) {
      return this.#end(node, { errno: answer.errno || Errno.ENOENT });
    }
    const dentry = cache.dentries.firstNameOf(node);
    if (dentry === undefined || isRootKey(key) || entryIsInvalid(answer.reply, ENTRY_AT)) {
      return this.#end(node, { errno: Errno.EIO });
    }
    const place = { parent: directory, name: cache.dentries.nameOf(dentry) };
    const known = cache.nodes.locate(key.low, key.high);
    if (known !== undefined && known !== node && this.#isOfAnotherInstance(known)) this.#host.lost(known);
    const { node: found } = cache.get(key);
    cache.nodes.addExtra(found);
    if (found === node) {
      cache.dentries.setEpoch(dentry, cache.epoch);
      this.#host.survived(node, answer.reply);
      return this.#end(node, { node });
    }
    return this.#replace(node, found, { dentry, place });
  }

  #replace(
    node: number,
    found: number,
    { dentry, place }: { dentry: number; place: { parent: number; name: number } },
  ): void {
    const { cache } = this.#host;
    cache.nodes.pin(found);
    cache.letGoOf(node, this.#host.quiet());
    cache.dentries.remove(dentry);
    const linked = cache.splice(place, found);
    if (linked) {
      this.#host.successors.delete(found);
      this.#host.successors.set(node, found);
      this.#host.moved(node, found);
    }
    cache.release(found);
    this.#end(node, linked ? { node: found } : { errno: Errno.ELOOP });
  }

  #end(node: number, reached: Reached): void {
    const waiting = this.#waiting.get(node) ?? [];
    this.#waiting.delete(node);
    for (const tell of waiting) tell(reached);
  }

  /** Where the kernel tells instances apart, an inode of an old one that has this nodeid by chance makes room. */
  #isOfAnotherInstance(node: number): boolean {
    const { nodes, root, incarnation } = this.#host.cache;
    return this.#host.onUse() === 'revalidate' && node !== root && nodes.incarnationOf(node) < incarnation;
  }

  #hasOldName(node: number): boolean {
    const { cache } = this.#host;
    for (let at = node; at !== cache.root; ) {
      const dentry = cache.dentries.firstNameOf(at);
      if (dentry === undefined) return false;
      if (cache.dentries.epochOf(dentry) < cache.epoch) return true;
      at = cache.dentries.parentOf(dentry);
    }
    return false;
  }
}
