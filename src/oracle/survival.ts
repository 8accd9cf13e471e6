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

/** Counts what survived. */
export class Survival {
  readonly #tested = new Map<FactName, Tested>();
  #echoes = 0;
  #ownInodes = 0;

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

  /** Notes a node with its inode number: high-level libraries put the one in the place of the other. */
  noteInode(nodeid: bigint, ino: bigint): void {
    if (nodeid === ino) this.#echoes++;
    else this.#ownInodes++;
  }

  /** How far to rely on a kind of fact. Facts that belong to the object itself always survive. */
  trust(name: FactName): Trust {
    if (!doubted.includes(name)) return 'proven';
    const { kept, changed } = this.#tested.get(name) ?? { kept: 0, changed: 0 };
    if (changed > 0 && changed * FEW >= kept) return 'refuted';
    if (kept > 0) return 'proven';
    return name === 'ino' && this.#echoes > 0 && this.#ownInodes === 0 ? 'refuted' : 'untested';
  }
}
