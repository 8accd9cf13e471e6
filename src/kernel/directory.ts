/** Records of READDIR and READDIRPLUS replies, walked as `parse_dirfile` and `parse_dirplusfile` do. */

import { u32At } from '../protocol/raw.js';
import { dirent, direntplus, outHeader } from '../protocol/structs.js';
import { byCaller, type Refusal } from './refusal.js';
import { offsetIn } from './shape.js';

/** FUSE_NAME_MAX: PATH_MAX less the NUL. */
const LONGEST_NAME = 4095;
const SLASH = 0x2f;
const DOT = 0x2e;
const ALIGN = 8;

/** A record of a directory; offsets are from the start of the reply. */
export interface DirectoryRecord {
  /** `fuse_entry_out`; 0 in READDIR, which has none. */
  readonly entryAt: number;
  readonly nameAt: number;
  readonly nameEnd: number;
}

/**
 * Calls `visit` for each whole record. Gives what the kernel refuses: an empty or overlong name, or one with a slash ends
 * the walk with EIO, after the records before it counted. A last record that is cut is left out, silently.
 */
export const walkDirectory = (
  reply: Uint8Array,
  records: 'plain' | 'plus',
  visit: (record: DirectoryRecord) => void,
): Refusal | undefined => {
  const layout = records === 'plus' ? direntplus : dirent;
  const where = records === 'plus' ? 'parse_dirplusfile' : 'parse_dirfile';
  const lengthAt = layout.size - dirent.size + offsetIn(dirent, 'namelen');
  for (let at: number = outHeader.size; reply.length - at >= layout.size; ) {
    const length = u32At(reply, at + lengthAt);
    if (length === 0 || length > LONGEST_NAME) return byCaller('dirent', where);
    const size = Math.ceil((layout.size + length) / ALIGN) * ALIGN;
    if (size > reply.length - at) return undefined;
    const nameAt = at + layout.size;
    if (hasSlash(reply, nameAt, nameAt + length)) return byCaller('dirent', where);
    visit({ entryAt: records === 'plus' ? at : 0, nameAt, nameEnd: nameAt + length });
    at += size;
  }
  return undefined;
};

const hasSlash = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (bytes[at] === SLASH) return true;
  return false;
};

/** Whether a name is "." or "..", which never make a node. */
export const isDots = (bytes: Uint8Array, start: number, end: number): boolean => {
  const length = end - start;
  if (length !== 1 && length !== 2) return false;
  return bytes[start] === DOT && bytes[end - 1] === DOT;
};
