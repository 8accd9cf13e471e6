/**
 * Open files and directories: what the kernel keeps in `struct fuse_file`. Several may carry the same fh, as servers
 * that need none answer 0 to every open; an open file is a row number, valid until `close`.
 */

import { type FileHandle, fileHandle } from '../base/ids.js';
import { Column, Rows } from './column.js';
import { hashPair, RowIndex } from './row-index.js';

/** What is known of an open file when it is opened. */
export interface OpenFile {
  /** Node it was opened on. */
  readonly node: number;
  /** Halves of the fh. */
  readonly low: number;
  readonly high: number;
  readonly directory: boolean;
  /** `flags` of the request that opened it (open(2) flags), which RELEASE repeats. */
  readonly flags: number;
  /** `open_flags` of the reply (FOPEN_*). */
  readonly openFlags: number;
  /** Number of the step or frame that opened it, counted by whoever drives the kernel. */
  readonly opener: number;
  /** Incarnation that handed the fh out. */
  readonly incarnation: number;
}

const LIVE = 1;
const DIRECTORY = 2;
const SILENT = 4;
const INCARNATION_SHIFT = 16;

/** Open files by fh, node and kind. */
export class FileTable {
  readonly #rows = new Rows();
  readonly #node = new Column();
  readonly #low = new Column();
  readonly #high = new Column();
  readonly #flags = new Column();
  readonly #openFlags = new Column();
  readonly #opener = new Column();
  readonly #bits = new Column();
  readonly #index = new RowIndex((file) => hashPair(this.#low.get(file), this.#high.get(file)));

  /** Files that are open. */
  get size(): number {
    return this.#rows.live;
  }

  /** Notes an open file. */
  open(file: OpenFile): number {
    const row = this.#rows.take();
    this.#node.set(row, file.node);
    this.#low.set(row, file.low);
    this.#high.set(row, file.high);
    this.#flags.set(row, file.flags);
    this.#openFlags.set(row, file.openFlags);
    this.#opener.set(row, file.opener);
    const kind = LIVE | (file.directory ? DIRECTORY : 0);
    this.#bits.set(row, kind | (file.incarnation << INCARNATION_SHIFT));
    this.#index.add(row, hashPair(file.low, file.high));
    return row;
  }

  /** Forgets an open file, and with it its fh. */
  close(file: number): void {
    this.#index.remove(file, hashPair(this.#low.get(file), this.#high.get(file)));
    this.#bits.set(file, 0);
    this.#rows.give(file);
  }

  /** An open file of this fh, node and kind; any one of them when there are several, `undefined` when there is none. */
  find(handle: { low: number; high: number; node: number; directory: boolean }): number | undefined {
    const index = this.#index;
    const kind = handle.directory ? DIRECTORY : 0;
    for (let place = index.home(hashPair(handle.low, handle.high)); ; place = index.after(place)) {
      const file = index.at(place);
      if (file === undefined || this.#matches(file, handle, kind)) return file;
    }
  }

  /** Every open file, as rows. The table may be changed meanwhile. */
  *all(): Generator<number, void> {
    for (let file = 0; file < this.#rows.top; file++) if (this.#bits.get(file) !== 0) yield file;
  }

  /** The fh. */
  handleOf(file: number): FileHandle {
    return fileHandle((BigInt(this.#high.get(file)) << 32n) | BigInt(this.#low.get(file)));
  }

  /** All that is known of an open file. */
  read(file: number): OpenFile {
    return {
      node: this.#node.get(file),
      low: this.#low.get(file),
      high: this.#high.get(file),
      directory: (this.#bits.get(file) & DIRECTORY) !== 0,
      flags: this.#flags.get(file),
      openFlags: this.#openFlags.get(file),
      opener: this.#opener.get(file),
      incarnation: this.#bits.get(file) >>> INCARNATION_SHIFT,
    };
  }

  /** Whether closing it sends nothing, because the open was never sent or the strategy withholds it. */
  isSilent(file: number): boolean {
    return (this.#bits.get(file) & SILENT) !== 0;
  }

  /** Makes closing the file send nothing. */
  silence(file: number): void {
    this.#bits.set(file, this.#bits.get(file) | SILENT);
  }

  #matches(file: number, handle: { low: number; high: number; node: number }, kind: number): boolean {
    return (
      this.#low.get(file) === handle.low &&
      this.#high.get(file) === handle.high &&
      this.#node.get(file) === handle.node &&
      (this.#bits.get(file) & DIRECTORY) === kind
    );
  }
}
