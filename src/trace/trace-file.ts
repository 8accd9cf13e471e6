/** Reads pieces of a file that may be damaged, short or hostile. Knows no format. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RelightError } from '../base/error.js';
import { fileError } from './sink.js';

/** Bytes read ahead, so that many small records cost few system calls. */
const WINDOW = 1 << 18;

/** An open file. */
export class TraceFile {
  readonly path: string;
  readonly size: number;
  readonly #fd: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;
  #isClosed = false;

  /** Opens a regular file; throws a RelightError when there is none, or it is something else that might never end. */
  constructor(path: string) {
    this.path = path;
    const { fd, size } = openRegular(path);
    this.#fd = fd;
    this.size = size;
  }

  /**
   * The bytes from `offset` on, at most `length`; fewer at the end of the file. A view that stays good. Throws a
   * RelightError when the disk cannot be read.
   */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(this.size, offset + length);
    if (offset >= end) return new Uint8Array(0);
    if (offset < this.#windowAt || end > this.#windowAt + this.#window.length) {
      this.#window = this.#load(offset, Math.max(end - offset, WINDOW));
      this.#windowAt = offset;
    }
    return this.#window.subarray(offset - this.#windowAt, end - this.#windowAt);
  }

  close(): void {
    if (!this.#isClosed) closeSync(this.#fd);
    this.#isClosed = true;
  }

  #load(offset: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, this.size - offset));
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const read = readSync(this.#fd, bytes, filled, bytes.length - filled, offset + filled);
        if (read === 0) break;
        filled += read;
      }
    } catch (error) {
      throw fileError('read', this.path, error);
    }
    return bytes.subarray(0, filled);
  }
}

const openRegular = (path: string): { fd: number; size: number } => {
  let fd: number | undefined;
  try {
    // Non-blocking: opening a FIFO would otherwise wait for a writer.
    fd = openSync(path, O_RDONLY_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new RelightError('usage', `${path} is not a regular file`);
    return { fd, size: stat.size };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw fileError('open', path, error);
  }
};

const O_RDONLY_NONBLOCK = 0o4000;
