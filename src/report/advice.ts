/** What the author of a server can do about an unsafe verdict: by what happened, and by what kind of number the id is. */

import type { IdKind } from '../oracle/id-kind.js';
import type { IdReport } from '../oracle/id-observer.js';
import type { Verdict } from '../oracle/verdict.js';

/** What advice is wanted about. */
export interface Complaint {
  readonly verdict: Verdict;
  readonly op: string;
  /** `node`, `handle`, `node+handle` or `none`. */
  readonly idKind: string;
  /** No correct kernel sends such a request. */
  readonly isHostile: boolean;
}

const nodes: Readonly<Record<IdKind, string>> = {
  pointer:
    'Do not take a nodeid for an address: keep a table from nodeid to object, give out numbers that no other start of the server gives, and answer ESTALE to what is not in the table.',
  counter:
    'Begin to count at a number that no other start of the server uses, such as a random one of 64 bits, and answer ESTALE to what was not given out.',
  index:
    'Put a generation that differs from start to start beside the index in the nodeid, compare it before every use, and answer ESTALE when it is another.',
  inode:
    "Inode numbers are given again: keep the file's generation with them (FS_IOC_GETVERSION, or the file handle of name_to_handle_at), compare it before every use, and answer ESTALE when it is another.",
  fd: 'Descriptors are given again: keep a table from nodeid to descriptor with numbers of its own, and answer ESTALE to what is not in it.',
  constant: 'One number for all objects tells nothing: give each its own, and answer ESTALE to others.',
  opaque:
    'Look every nodeid up before its first use, compare all of it, and answer ESTALE to what this process did not give out.',
};

const handles: Readonly<Record<IdKind, string>> = {
  pointer:
    'Do not take an fh for an address: keep a table from fh to open file, give out numbers that no other start of the server gives, and answer EBADF to what is not in it, or open the file again by its nodeid.',
  counter:
    'Begin to count handles at a number that no other start of the server uses, and answer EBADF to what was not given out, or open the file again by its nodeid.',
  index:
    'Put a generation that differs from start to start beside the index in the fh, compare it before every use, and answer EBADF when it is another.',
  inode:
    'An inode number does not tell who opened the file: keep a table from fh to open file with numbers of its own, and answer EBADF to what is not in it.',
  fd: 'The next start gives the same descriptors to other files: keep a table from fh to descriptor with numbers that differ from start to start, and compare the nodeid beside the fh.',
  constant: 'One fh for all files tells nothing: go by the nodeid alone, and check that one.',
  opaque:
    'Look every fh up before its first use, compare the nodeid beside it, and answer EBADF to what this process did not give out.',
};

/** Where what happened tells more than the kind of the id. */
const byVerdict: Readonly<Partial<Record<Verdict, string>>> = {
  abort:
    'What the kernel sends is no programming error of the server: answer ESTALE to a nodeid that it does not know, EBADF to such an fh, nothing to a FORGET of one, and ENOSYS to an operation; do not end.',
  hang: 'Answer at once with ESTALE or EBADF to an id or lock owner that is not known, before anything is waited for.',
  malformed:
    'Answer each request once, under its unique, with an error from -511 to 0 and nothing behind an error; FORGET gets no answer (fuse_dev_do_write refuses the rest).',
  lost: 'Acknowledge a change only when an object holds it: answer ESTALE or EBADF, so that the application learns of it.',
  twice:
    'Bit 63 of the unique says that a request may have been carried out before: keep what was answered last by unique, or make the change so that a second one is none.',
  leak: 'Fill every reply before it is sent, and send no more bytes than the object has; answer ESTALE or EBADF to an id that is not known.',
};

const poison =
  'FORGET and RELEASE may only touch what this process gave out: count lookups by object, never below 0, and ignore ids of an earlier start.';
const lengths =
  "Check header.len, sizes, counts and the NUL of names against the bytes that were read before any of them is used; a correct kernel never sends this, so it matters where the kernel's side is not trusted.";
const anyRequest =
  'Check sizes, offsets, counts and names against what was read before they are used, and answer EINVAL.';

/** READDIR, FSYNCDIR and the like are about directory handles. */
const isOfDirectory = (op: string): boolean => op.includes('DIR');

const byKind = ({ idKind, op }: Complaint, ids: IdReport): string => {
  if (idKind === 'none') return anyRequest;
  const isHandle = idKind === 'handle' || (idKind === 'node+handle' && ids.nodeids.kind === 'constant');
  if (!isHandle) return nodes[ids.nodeids.kind];
  const { kind } = isOfDirectory(op) && ids.directories.count > 0 ? ids.directories : ids.files;
  return handles[kind];
};

/** What to do. `ids` says what the server's ids are. */
export const adviceOn = (complaint: Complaint, ids: IdReport): string => {
  if (complaint.isHostile) return lengths;
  const { verdict, idKind } = complaint;
  const told = byVerdict[verdict];
  if (told !== undefined && (verdict !== 'leak' || idKind === 'none')) return told;
  if (verdict === 'poison' && idKind !== 'none') return `${poison} ${byKind(complaint, ids)}`;
  return byKind(complaint, ids);
};
