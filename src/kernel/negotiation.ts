/** INIT from the kernel's side: what it offers, and whether and how it takes the answer (`fuse_send_init`, `process_init_reply`). */

import { Errno } from '../base/errno.js';
import { decodeReply } from '../protocol/decode.js';
import { InitFlag, type InitFlagName } from '../protocol/flags.js';
import { errorOf } from '../protocol/header.js';
import {
  initFlags,
  NEWEST_MINOR,
  type Negotiated,
  negotiatedFrom,
  newestNegotiated,
} from '../protocol/negotiated.js';
import { operationNamed } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import { inHeader, initIn } from '../protocol/structs.js';
import { byCaller, byDevice, type Refusal } from './refusal.js';
import { offsetIn } from './shape.js';
import { put32 } from './wire.js';

/** What the kernel offers. */
export interface InitOffer {
  /** 8 to 45. */
  readonly minor: number;
  /** INIT flags of both words; those that the minor does not have are left out. */
  readonly flags: bigint;
  readonly maxReadahead: number;
  /** The mount has `default_permissions`, without which a server may not ask for id-mapped mounts. */
  readonly defaultPermissions: boolean;
}

/** First minor of each INIT flag (uapi/linux/fuse.h, its list of changes). */
const flagsSince: Readonly<Record<number, readonly InitFlagName[]>> = {
  6: ['ASYNC_READ'],
  7: ['POSIX_LOCKS'],
  9: ['FILE_OPS', 'ATOMIC_O_TRUNC', 'EXPORT_SUPPORT', 'BIG_WRITES'],
  12: ['DONT_MASK'],
  14: ['SPLICE_WRITE', 'SPLICE_MOVE', 'SPLICE_READ'],
  17: ['FLOCK_LOCKS'],
  18: ['HAS_IOCTL_DIR'],
  20: ['AUTO_INVAL_DATA'],
  21: ['DO_READDIRPLUS', 'READDIRPLUS_AUTO'],
  22: ['ASYNC_DIO'],
  23: ['WRITEBACK_CACHE', 'NO_OPEN_SUPPORT'],
  25: ['PARALLEL_DIROPS'],
  26: ['HANDLE_KILLPRIV', 'POSIX_ACL'],
  27: ['ABORT_ERROR'],
  28: ['MAX_PAGES', 'CACHE_SYMLINKS'],
  29: ['NO_OPENDIR_SUPPORT'],
  30: ['EXPLICIT_INVAL_DATA'],
  31: ['MAP_ALIGNMENT'],
  32: ['SUBMOUNTS'],
  33: ['HANDLE_KILLPRIV_V2', 'SETXATTR_EXT'],
  36: ['INIT_EXT', 'SECURITY_CTX', 'HAS_INODE_DAX'],
  38: ['CREATE_SUPP_GROUP', 'HAS_EXPIRE_ONLY'],
  39: ['DIRECT_IO_ALLOW_MMAP'],
  40: ['PASSTHROUGH', 'NO_EXPORT_SUPPORT', 'HAS_RESEND'],
  41: ['ALLOW_IDMAP'],
  42: ['OVER_IO_URING'],
  43: ['REQUEST_TIMEOUT'],
};

/** Offered only with what a socket cannot carry or only virtio-fs has, so not by default. */
const notOnSockets: readonly InitFlagName[] = [
  'FILE_OPS',
  'MAP_ALIGNMENT',
  'SUBMOUNTS',
  'HAS_INODE_DAX',
  'PASSTHROUGH',
  'OVER_IO_URING',
];

/** Every INIT flag that a minor has. */
export const flagsKnownAt = (minor: number): bigint =>
  Object.entries(flagsSince)
    .filter(([since]) => Number(since) <= minor)
    .flatMap(([, names]) => names)
    .reduce((flags, name) => flags | InitFlag[name], 0n);

/** What a kernel of that minor offers to a server behind a socket. */
export const defaultOffer = (minor = NEWEST_MINOR): InitOffer => ({
  minor,
  flags: notOnSockets.reduce((flags, name) => flags & ~InitFlag[name], flagsKnownAt(minor)),
  maxReadahead: newestNegotiated.maxReadahead,
  defaultPermissions: false,
});

const INIT_EXT_SINCE = 36;
const SHORT_BODY = 16;
const at = (path: string): number => inHeader.size + offsetIn(initIn, path);
const MAJOR = 7;

/** The INIT request of an offer, without a unique. From minor 36 on it has 64 bytes of body, before 16. */
export const initMessage = (offer: InitOffer): Uint8Array => {
  const extended = offer.minor >= INIT_EXT_SINCE;
  const known = offer.flags & flagsKnownAt(offer.minor);
  const flags = extended ? known | InitFlag.INIT_EXT : known;
  const bytes = new Uint8Array(inHeader.size + (extended ? initIn.size : SHORT_BODY));
  put32(bytes, 0, bytes.length);
  put32(bytes, offsetIn(inHeader, 'opcode'), operationNamed('INIT').opcode);
  put32(bytes, at('major'), MAJOR);
  put32(bytes, at('minor'), offer.minor);
  put32(bytes, at('maxReadahead'), offer.maxReadahead);
  put32(bytes, at('flags'), Number(flags & 0xffff_ffffn));
  if (extended) put32(bytes, at('flags2'), Number(flags >> 32n));
  return bytes;
};

/** How INIT ended. */
export type InitOutcome =
  | { readonly kind: 'accepted'; readonly negotiated: Negotiated }
  | { readonly kind: 'failed'; readonly refusal: Refusal; readonly errno: number };

const failed = (refusal: Refusal, errno = 0): InitOutcome => ({ kind: 'failed', refusal, errno });

/**
 * Judges the answer to INIT, whose length the device has passed. An error, another major, or id-mapped mounts without
 * `default_permissions` end the connection for good: the kernel never sends a second INIT (`fuse_conn.conn_error`).
 */
export const acceptInit = (request: Uint8Array, reply: Uint8Array, offer: InitOffer): InitOutcome => {
  const errno = -errorOf(reply);
  const refusal = byCaller('init', 'process_init_reply', Errno.ECONNREFUSED);
  if (errno !== 0) return failed(refusal, errno);
  const asked = {
    minor: u32At(request, at('minor')),
    maxReadahead: u32At(request, at('maxReadahead')),
    flags: u32At(request, at('flags')),
    flags2: u32At(request, at('flags2')),
  };
  const decoded = decodeReply(reply, { op: operationNamed('INIT'), fields: {} }, newestNegotiated);
  if (decoded.kind !== 'reply' || decoded.name !== 'INIT') return failed(byDevice('cut', Errno.EINVAL));
  if (!decoded.ok || decoded.fields.major !== MAJOR) return failed(refusal);
  const idMapped = (initFlags(decoded.fields) & InitFlag.ALLOW_IDMAP) !== 0n;
  const checks = offer.defaultPermissions || (initFlags(decoded.fields) & InitFlag.POSIX_ACL) !== 0n;
  if (idMapped && !checks) return failed(refusal);
  return { kind: 'accepted', negotiated: negotiatedFrom(asked, decoded.fields) };
};
