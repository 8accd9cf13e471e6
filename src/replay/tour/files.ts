/** Open files and directories: opening, reading, writing and closing as the kernel does it. */

import { Errno } from '../../base/errno.js';
import { Fopen, WriteFlag } from '../../protocol/flags.js';
import type { Caller, Calls } from './calls.js';

/** An open file or directory. */
export interface OpenFile {
  readonly nodeid: bigint;
  readonly fh: bigint;
  /** As in open(2); RELEASE repeats them. */
  readonly flags: number;
  /** FOPEN_*. */
  readonly openFlags: number;
  readonly isDirectory: boolean;
}

const PAGE = 4096;

/** Opens a node; `undefined` when the server refuses. */
export function* open(
  caller: Caller,
  nodeid: bigint,
  { flags, isDirectory }: Pick<OpenFile, 'flags' | 'isDirectory'>,
): Calls<OpenFile | undefined> {
  const { errno, fields } = yield* caller.ask(isDirectory ? 'OPENDIR' : 'OPEN', nodeid, { flags });
  if (errno !== 0) return undefined;
  // A server that does not implement it has files all the same: fh 0, and what was read stays cached (fuse_file_open).
  const { fh, openFlags } = fields ?? { fh: 0n, openFlags: Fopen.KEEP_CACHE };
  return { nodeid, fh, flags, openFlags, isDirectory };
}

/** Closes a file: FLUSH and RELEASE, or RELEASEDIR. */
export function* close(caller: Caller, { nodeid, fh, flags, openFlags, isDirectory }: OpenFile): Calls<void> {
  if (!isDirectory && (openFlags & Fopen.NOFLUSH) === 0)
    yield* caller.ask('FLUSH', nodeid, { fh, lockOwner: caller.owner });
  yield* caller.ask(isDirectory ? 'RELEASEDIR' : 'RELEASE', nodeid, { fh, flags });
}

/** A stretch of a file, in bytes. */
export interface Stretch {
  readonly offset: bigint;
  readonly length: number;
}

/** Reads a stretch in pieces as large as the session allows; gives the bytes that came, fewer at the end of the file. */
export function* read(caller: Caller, file: OpenFile, { offset, length }: Stretch): Calls<number> {
  const { nodeid, fh, flags } = file;
  const most = mostToRead(caller);
  for (let done = 0; ; ) {
    const size = Math.min(most, roundUp(length - done));
    if (size <= 0) return done;
    const { fields } = yield* caller.ask('READ', nodeid, { fh, offset: offset + BigInt(done), size, flags });
    const got = fields?.data.length ?? 0;
    done += got;
    if (got < size) return done;
  }
}

/** Writes data in pieces as large as the session allows; 0, or the errno of the first piece that failed. */
export function* write(caller: Caller, file: OpenFile, offset: bigint, data: Uint8Array): Calls<number> {
  const { nodeid, fh, flags } = file;
  const most = Math.min(caller.negotiated.maxWrite, caller.negotiated.maxPages * PAGE);
  const writeFlags = caller.has('WRITEBACK_CACHE') ? WriteFlag.CACHE : 0;
  for (let done = 0; done < data.length; ) {
    const piece = data.subarray(done, done + most);
    const position = { fh, offset: offset + BigInt(done), size: piece.length };
    const { errno, fields } = yield* caller.ask('WRITE', nodeid, {
      ...position,
      writeFlags,
      flags,
      data: piece,
    });
    if (errno !== 0) return errno;
    if (fields === undefined || fields.size === 0) return Errno.EIO;
    done += fields.size;
  }
  return 0;
}

/** Bytes of the largest READ: what a request may carry, what is read ahead, whole pages of what the mount allows. */
const mostToRead = ({ negotiated, maxRead }: Caller): number => {
  const { maxPages, maxReadahead } = negotiated;
  const pages = Math.min(maxPages, Math.floor(maxRead / PAGE));
  return Math.max(PAGE, Math.min(pages * PAGE, maxReadahead));
};

/** The kernel reads whole pages. */
const roundUp = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;
