/** What can be counted about the numbers that a server gave to nodes or handles. Pure; draws no conclusion. */

/** A number that a server gave or the kernel gave back. */
export interface IdEvent {
  readonly act: 'create' | 'release';
  readonly value: bigint;
  /** Lookups given back; 1 for everything else. */
  readonly count: bigint;
  /** Of the attributes that came with a node. */
  readonly ino: bigint | undefined;
  /** Whether the request that it answers made the object; a lookup finds one that was there. */
  readonly isNew: boolean;
}

/** A number when it was first seen. */
export type FirstMint = Pick<IdEvent, 'value' | 'ino' | 'isNew'>;

/** go-fuse gives it to a file of its own, at which the kernel learns that it does not poll (`pollHackInode`). */
const ALL_ONES = 2n ** 64n - 1n;

interface Life {
  live: bigint;
  ino: bigint | undefined;
}

/** Follows the numbers of one kind through one incarnation. */
export class IdTally {
  /** In order of first appearance. */
  readonly firsts: FirstMint[] = [];
  /** Times a number was given. */
  mints = 0;
  /** Times a number was given for another thing, or again, after it had been given back. */
  reused = 0;
  /** Times a number was given for the same inode again, after it had been given back. */
  returned = 0;
  /** Times a handle was given that was open already. */
  shared = 0;
  /** Numbers alive at once, at most. */
  peakLive = 0;
  readonly #lives = new Map<bigint, Life>();
  readonly #isHandle: boolean;
  #live = 0;

  /** A handle that is given twice is two open files with one number; a node that is given twice is looked up twice. */
  constructor(isHandle: boolean) {
    this.#isHandle = isHandle;
  }

  /** Takes an event in; in order. A number that is no number but a mark does not count. */
  add(event: IdEvent): void {
    if (event.value === ALL_ONES) return;
    if (event.act === 'create') this.#create(event);
    else this.#release(event);
  }

  /** The inode that a number was given for last; `undefined` when it was never given or came without. */
  inoOf(value: bigint): bigint | undefined {
    return this.#lives.get(value)?.ino;
  }

  #create({ value, ino, isNew }: IdEvent): void {
    this.mints++;
    const life = this.#lives.get(value);
    if (life === undefined) {
      this.#lives.set(value, { live: 1n, ino });
      this.firsts.push({ value, ino, isNew });
      this.#born();
      return;
    }
    if (life.live === 0n) {
      this.#born();
      if (this.#isHandle || life.ino !== ino) this.reused++;
      else this.returned++;
    }
    if (life.live > 0n && this.#isHandle) this.shared++;
    life.live += 1n;
    life.ino = ino ?? life.ino;
  }

  #release({ value, count }: IdEvent): void {
    const life = this.#lives.get(value);
    if (life === undefined || life.live === 0n) return;
    life.live = life.live > count ? life.live - count : 0n;
    if (life.live === 0n) this.#live--;
  }

  #born(): void {
    this.#live++;
    this.peakLive = Math.max(this.peakLive, this.#live);
  }
}

/** Figures over the numbers in order of first appearance. */
export interface Shape {
  readonly distinct: number;
  readonly min: bigint;
  readonly max: bigint;
  /** Share of the numbers, after the first, that exceed all before them. */
  readonly ascending: number;
  /** How many came with an inode number, and for how many it is the same number. */
  readonly withIno: number;
  readonly equalIno: number;
  /** Each is one more than the one before. */
  readonly isConsecutive: boolean;
  /** How many were given for objects that were there before. */
  readonly found: number;
}

/** The shape of some numbers; `undefined` when there are none. */
export const shapeOf = (firsts: readonly FirstMint[]): Shape | undefined => {
  const [first] = firsts;
  if (first === undefined) return undefined;
  let [min, max, above, withIno, equalIno, found] = [first.value, first.value, 0, 0, 0, 0];
  for (const { value, ino, isNew } of firsts) {
    if (value > max) above++;
    if (value > max) max = value;
    if (value < min) min = value;
    if (ino !== undefined) withIno++;
    if (ino === value) equalIno++;
    if (!isNew) found++;
  }
  const ascending = firsts.length === 1 ? 1 : above / (firsts.length - 1);
  const isConsecutive = firsts.every(({ value }, i) => value === first.value + BigInt(i));
  return { distinct: firsts.length, min, max, ascending, withIno, equalIno, isConsecutive, found };
};
