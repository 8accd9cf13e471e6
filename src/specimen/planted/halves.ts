/**
 * Numbers of two halves: the lower one counts and begins anew with each incarnation, the upper one is random and makes the
 * number unlike any other. Bugs of this kind look at the lower half alone.
 */

import { randomBytes } from 'node:crypto';
import { type FileHandle, fileHandle, type NodeId, nodeId } from '../../base/ids.js';
import type { Handlers } from '../engine/handler.js';
import type { Server } from '../engine/server.js';
import { type Handle, numberedHandles } from '../handles/handles.js';
import { withRoot } from '../ids/node-ids.js';
import type { Numbering } from '../ids/numbering.js';
import { type Known, tableIds } from '../ids/table-ids.js';
import { countedNodes } from './careful.js';
import type { Parts } from './planted-bug.js';

const LOWER = 0xffff_ffffn;
/** 0 and 1 have a meaning in the protocol. */
const FIRST = 2n;

/** A numbering with numbers of two halves. */
export interface Halves<T> extends Numbering<T> {
  /** The number in use that has the same lower half; the number itself when none has. */
  like(number: bigint): bigint;
  /** The lower half of the next number to be minted. */
  next(): bigint;
}

const randomHalf = (): bigint => BigInt(randomBytes(4).readUInt32LE());

/** A numbering whose upper halves come from `upper`, random ones by default. */
export const halves = <T>(upper: () => bigint = randomHalf): Halves<T> => {
  const items = new Map<bigint, T>();
  const byLower = new Map<bigint, bigint>();
  let next = FIRST;
  return {
    mint: (item) => {
      const number = (upper() << 32n) | next;
      byLower.set(next++, number);
      items.set(number, item);
      return number;
    },
    find: (number) => items.get(number),
    drop: (number) => {
      if (items.delete(number)) byLower.delete(number & LOWER);
    },
    like: (number) => byLower.get(number & LOWER) ?? number,
    next: () => next,
  };
};

/** What a bug puts in the place of handlers. */
export type Loosening<Like> = (handlers: Handlers, like: Like) => Partial<Handlers>;

/** The nodeid in use that has the same lower half. */
export type LikeNode = (nodeid: NodeId) => NodeId;

/** Nodeids of two halves, and handlers that look at the lower one alone; without them when it is fixed. */
export const halvedNodes = (fixed: boolean, loosen: Loosening<LikeNode>): Partial<Parts> => {
  const numbering = halves<Known>();
  const like: LikeNode = (nodeid) => nodeId(numbering.like(nodeid));
  return {
    wrapNodes: (_policy, { store }) => countedNodes(withRoot(store, tableIds(store, numbering, 0n))),
    wrapHandlers: (handlers) => (fixed ? handlers : { ...handlers, ...loosen(handlers, like) }),
  };
};

/** A handle and the node that it is of. */
export interface Opened {
  readonly fh: FileHandle;
  readonly nodeid: NodeId;
}

/** The handle in use that has the same lower half as `fh`, with its own node in place of the given one. */
export type LikeHandle = (server: Server, given: Opened) => Opened;

/** File handles of two halves, and handlers that look at the lower one alone; without them when it is fixed. */
export const halvedHandles = (fixed: boolean, loosen: Loosening<LikeHandle>): Partial<Parts> => {
  const numbering = halves<Handle>();
  const like: LikeHandle = ({ nodes }, given) => {
    const fh = fileHandle(numbering.like(given.fh));
    const handle = numbering.find(fh);
    return { fh, nodeid: (handle && nodes.numberOf(handle.inode)) ?? given.nodeid };
  };
  return {
    wrapHandles: (_policy, { store }) => numberedHandles(store, numbering),
    wrapHandlers: (handlers) => (fixed ? handlers : { ...handlers, ...loosen(handlers, like) }),
  };
};
