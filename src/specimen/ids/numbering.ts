/** Ways of giving numbers to things and finding them again. One numbering serves nodes, another handles; neither knows which. */

import { randomBytes } from 'node:crypto';

/** Gives numbers to items of one kind. */
export interface Numbering<T> {
  /** A number for an item that has none. */
  mint(item: T): bigint;
  /** The item that has the number now; `undefined` when none has. */
  find(number: bigint): T | undefined;
  /** Takes the number back. */
  drop(number: bigint): void;
}

/** Counts up from `first` and never uses a number twice, but starts anew with each incarnation: libfuse's high level. */
export const counting = <T>(first: bigint): Numbering<T> => {
  const items = new Map<bigint, T>();
  let next = first;
  return {
    mint: (item) => {
      items.set(next, item);
      return next++;
    },
    find: (number) => items.get(number),
    drop: (number) => {
      items.delete(number);
    },
  };
};

/** Random numbers of `source` (64 bits by default): no number of one incarnation means anything to another. */
export const drawing = <T>(source: () => bigint = randomU64): Numbering<T> => {
  const items = new Map<bigint, T>();
  const draw = (): bigint => {
    const number = source();
    // 0 and 1 have a meaning in the protocol: no node, and the root.
    return number < 2n || items.has(number) ? draw() : number;
  };
  return {
    mint: (item) => {
      const number = draw();
      items.set(number, item);
      return number;
    },
    find: (number) => items.get(number),
    drop: (number) => {
      items.delete(number);
    },
  };
};

/** Which freed slot is used first: the last one freed (a free list), or the lowest (file descriptors). */
export type SlotOrder = 'last' | 'lowest';

/** Indexes into an array, from `first`; freed ones are used again: bazil, go-fuse's handles, and descriptors. */
export const slots = <T>(first: number, order: SlotOrder): Numbering<T> => {
  const items: (T | undefined)[] = [];
  const free: number[] = [];
  const take = (): number => {
    if (order === 'lowest') free.sort((a, b) => b - a);
    return free.pop() ?? items.length;
  };
  // A number beyond 2^53 must not round to a valid index.
  const slotOf = (number: bigint): number =>
    number < BigInt(items.length + first) ? Number(number) - first : -1;
  return {
    mint: (item) => {
      const slot = take();
      items[slot] = item;
      return BigInt(slot + first);
    },
    find: (number) => items[slotOf(number)],
    drop: (number) => {
      const slot = slotOf(number);
      if (items[slot] === undefined) return;
      items[slot] = undefined;
      free.push(slot);
    },
  };
};

const randomU64 = (): bigint => randomBytes(8).readBigUInt64LE();
