/** Which kinds of fact survive a restart of one server, found out on objects that a later incarnation was asked for anew. */

import type { FactName, Scalars } from './fingerprint.js';

/** Whether a kind of fact may be relied on across a restart. */
export type Trust = 'proven' | 'untested' | 'refuted';

/** Facts that some servers keep only as long as they live: counted inode numbers, times of their own start. */
const doubted: readonly FactName[] = ['ino', 'mtime', 'ctime'];
/** One change among fewer objects than this is no accident. */
const FEW = 4;

interface Tested {
  kept: number;
  changed: number;
}

/** Replies may overtake each other by so many; a counter goes back no further. */
const OVERTAKEN = 64n;

/** Counts what survived. */
export class Survival {
  readonly #tested = new Map<FactName, Tested>();
  #isOwn = false;
  #isEcho = false;
  #highest = 0n;

  /** Notes an object as an earlier incarnation told it and as a later one tells it. */
  note(before: Scalars, after: Scalars): void {
    for (const name of doubted) {
      if (before[name] === undefined || after[name] === undefined) continue;
      const tested = this.#tested.get(name) ?? { kept: 0, changed: 0 };
      this.#tested.set(name, tested);
      if (before[name] === after[name]) tested.kept++;
      else tested.changed++;
    }
  }

  /**
   * Notes a node with its inode number when it is given out. High-level libraries put a counted nodeid in its place; low-level
   * servers may take the inode number for the nodeid, which then goes up and down.
   */
  noteInode(nodeid: bigint, ino: bigint): void {
    if (nodeid !== ino || nodeid + OVERTAKEN < this.#highest) this.#isOwn = true;
    else this.#isEcho = true;
    if (nodeid > this.#highest) this.#highest = nodeid;
  }

  /** How far to rely on a kind of fact. Facts that belong to the object itself always survive. */
  trust(name: FactName): Trust {
    if (!doubted.includes(name)) return 'proven';
    if (name === 'ino' && this.#isEcho && !this.#isOwn) return 'refuted';
    const { kept, changed } = this.#tested.get(name) ?? { kept: 0, changed: 0 };
    if (changed > 0 && changed * FEW >= kept) return 'refuted';
    return kept > 0 ? 'proven' : 'untested';
  }
}
