/** What a tour knows while it goes on: its limits, the nodes it met, the files it keeps open. */

import { lockOwner, ROOT_ID } from '../../base/ids.js';
import { type Rng, rng } from '../../base/rng.js';
import { Caller, type KernelView } from './calls.js';
import type { OpenFile } from './files.js';

/** Where a tour stops. */
export interface TourLimits {
  /** Directory entries looked at. */
  readonly entries: number;
  /** Directories between the root and the deepest entry. */
  readonly depth: number;
  /** Bytes of files read. */
  readonly bytes: number;
  /** Files up to this many bytes are read whole, larger ones in three parts. */
  readonly wholeBytes: number;
  readonly partBytes: number;
  /** Files kept open at most, and as many directories. */
  readonly held: number;
}

/** Limits of a tour that was not told otherwise. */
export const defaultLimits: TourLimits = {
  entries: 1000,
  depth: 16,
  bytes: 64 << 20,
  wholeBytes: 128 << 10,
  partBytes: 16 << 10,
  held: 16,
};

/** What a limit cut off. */
export type Cut = 'entries' | 'depth' | 'bytes';

/** A node that the server gave. */
export interface KnownNode {
  readonly nodeid: bigint;
  /** Directory and name by which it was met. */
  readonly parent: bigint;
  readonly name: string;
  /** `mode & S_IFMT`. */
  readonly type: number;
  /** Bytes. */
  readonly size: bigint;
}

/** What a tour saw. */
export interface TourCounts {
  entries: number;
  directories: number;
  files: number;
  links: number;
  others: number;
  xattrs: number;
  /** Bytes of files. */
  bytesRead: number;
  /** LOOKUPs of "." and "..". */
  dots: number;
}

/** Chance that a file or directory stays open, once one does. */
const KEPT_OPEN = 0.25;

/** A tour under way. */
export class TourState {
  readonly caller: Caller;
  readonly rng: Rng;
  readonly limits: TourLimits;
  readonly nodes = new Map<bigint, KnownNode>();
  readonly heldFiles: OpenFile[] = [];
  readonly heldDirectories: OpenFile[] = [];
  readonly cut = new Set<Cut>();
  readonly counts: TourCounts = {
    entries: 0,
    directories: 0,
    files: 0,
    links: 0,
    others: 0,
    xattrs: 0,
    bytesRead: 0,
    dots: 0,
  };

  constructor(kernel: KernelView, seed: number, limits: TourLimits) {
    this.rng = rng(seed);
    this.caller = new Caller(kernel, lockOwner(this.rng.u64()));
    this.limits = limits;
  }

  /** All files and directories that are kept open. */
  get held(): readonly OpenFile[] {
    return [...this.heldFiles, ...this.heldDirectories];
  }

  /** Whether a file is to stay open; then it is noted. The first one is, further ones by chance. */
  keepsOpen(file: OpenFile): boolean {
    const held = file.isDirectory ? this.heldDirectories : this.heldFiles;
    if (held.length >= this.limits.held) return false;
    if (held.length > 0 && !this.rng.chance(KEPT_OPEN)) return false;
    held.push(file);
    return true;
  }

  /** Some of the nodes that were met, in an order of chance; the root is not among them. */
  someNodes(most: number): KnownNode[] {
    const nodes = [...this.nodes.values()].filter(({ nodeid }) => nodeid !== ROOT_ID);
    return this.rng.shuffle(nodes).slice(0, most);
  }
}
