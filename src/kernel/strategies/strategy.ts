/**
 * The interface of a recovery strategy: what the kernel does about stale ids once a restarted server has answered INIT. A
 * strategy sees the caches and says what to ask; it sends nothing itself and knows no request of the application.
 */

import type { Cache } from '../cache.js';
import type { Answer } from '../in-flight.js';

/** Strategies that are built. */
export type StrategyName =
  | 'trust'
  | 'resend'
  | 'revalidate-getattr'
  | 'revalidate-lookup'
  | 'mark-bad'
  | 'mark-bad-quiet'
  | 'inc-epoch'
  | 'lazy';

/** A message of the recovery. */
export interface Ask {
  readonly bytes: Uint8Array;
  /** Told what came of it; a reply that the kernel refuses counts as EIO. */
  readonly answered: (answer: Answer) => void;
}

/** What a strategy works on. */
export interface Scene {
  readonly cache: Cache;
  /** Asks a node for its attributes. */
  getattr(node: number, answered: (answer: Answer) => void): Ask;
  /** Asks for a name in a directory, by the row of its dentry. */
  lookup(directory: number, dentry: number, answered: (answer: Answer) => void): Ask;
  /** Messages of the recovery that are not answered yet. */
  outstanding(): number;
  /** Notes that the node is still what it was; `reply` is the evidence for the judge. */
  survived(node: number, reply: Uint8Array): void;
  /** Makes a node bad and frees its nodeid for another (`fuse_make_bad` as in `fuse_iget`). */
  lost(node: number): void;
}

/** How the kernel treats a node of an earlier incarnation when a path leads to it the next time. */
export type OnUse =
  /** As if nothing had happened; bad nodes are looked up anew by their path, as always. */
  | 'trust'
  /** The dentry is dropped and looked up anew, whatever the node is (`fuse_dentry_revalidate` of an old epoch). */
  | 'epoch'
  /** The path is looked up and compared with the node before anything else is sent to it. */
  | 'revalidate';

/** A recovery strategy. */
export interface Strategy {
  readonly name: StrategyName;
  /** Requests that the dead server had read: left alone, sent again, or ended with an error for the application. */
  readonly inFlight: 'hang' | 'resend' | 'abort';
  /** FORGET and RELEASE of bad nodes, and of files opened on them: as the kernel does today, or kept back. */
  readonly letGo: 'sent' | 'withheld';
  readonly onUse: OnUse;
  /**
   * By what a node that survives was recognised: its path led to it again, so that its nodeid is one that the new server gave,
   * or only the old nodeid itself. Where nothing is asked, nothing survives.
   */
  readonly recognisedBy: 'path' | 'nodeid' | 'nothing';
  /** I/O on files that an earlier incarnation opened: goes on, or gets EIO. */
  readonly oldFiles: 'kept' | 'refused';
  /**
   * The messages straight after INIT, drawn one by one as the server has room, so that millions of nodes cost no list.
   * `undefined` means that answers are needed first.
   */
  recover(scene: Scene): Iterable<Ask | undefined>;
}

/** Rows of the nodes that an earlier incarnation gave, in the order of the table; those made meanwhile are left out. */
export function* oldNodes(cache: Cache): Generator<number, void> {
  const top = cache.nodes.top;
  for (let node = 0; node < top; node++) {
    if (cache.nodes.has(node) && cache.nodes.incarnationOf(node) < cache.incarnation) yield node;
  }
}
