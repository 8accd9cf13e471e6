/** Where a trace is written to: a file, or in tests something that fails. */

import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writevSync } from 'node:fs';
import { RelightError } from '../base/error.js';
import { bytesOf } from './record.js';

/** Takes bytes in order. Every method may throw a system error. */
export interface Sink {
  /** Writes all of it, or throws; some of it may have been written then. */
  write(chunks: readonly Uint8Array[]): void;
  /** Cuts what was written back to `size` bytes and goes on from there. */
  truncate(size: number): void;
  close(): void;
  /** Closes and removes the file that was made; leaves devices alone. */
  discard(): void;
}

/** Buffers that one writev(2) takes (IOV_MAX). */
const MAX_CHUNKS = 1024;

const without = (chunks: readonly Uint8Array[], written: number): Uint8Array[] => {
  let skip = written;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return rest;
};

/** Writes to an open file, from its beginning on. `path` is what `discard` removes. */
export const fileSink = (fd: number, path: string): Sink => {
  let position = 0;
  return {
    write(chunks) {
      for (let rest = [...chunks]; bytesOf(rest) > 0; ) {
        const written = writevSync(fd, rest.slice(0, MAX_CHUNKS), position);
        position += written;
        rest = without(rest, written);
      }
    },
    truncate(size) {
      position = size;
      ftruncateSync(fd, size);
    },
    close: () => closeSync(fd),
    discard() {
      // A device such as /dev/full is not ours to remove.
      const isOurs = fstatSync(fd).isFile();
      closeSync(fd);
      if (isOurs) rmSync(path, { force: true });
    },
  };
};

/** Mode of a new trace: it shows file names and contents of its owner. */
const PRIVATE = 0o600;
const usageCodes = new Set(['ENOENT', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL', 'ENXIO']);

/** Code of a system error, such as `ENOSPC`; empty when it is none. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** A system error in a line, such as `ENOSPC: no space left on device`. */
export const errorText = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/, [a-z]+.*$/s, '') : String(error);

/** What went wrong with a file, as an error for people: `usage` when the path is to blame, else `environment`. */
export const fileError = (what: string, path: string, cause: unknown): RelightError => {
  if (cause instanceof RelightError) return cause;
  const code = usageCodes.has(errorCode(cause)) ? 'usage' : 'environment';
  return new RelightError(code, `cannot ${what} ${path}: ${errorText(cause).replace(/^[A-Z0-9]+: /, '')}`, {
    cause,
  });
};

/** Creates a file, or empties one that is there; throws a RelightError when that cannot be. */
export const createSink = (path: string): Sink => {
  try {
    return fileSink(openSync(path, 'w', PRIVATE), path);
  } catch (error) {
    throw fileError('write', path, error);
  }
};
