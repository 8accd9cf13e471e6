/**
 * What INIT settled for a connection. It is an input of decoding and encoding, since several structs are shorter under
 * old minors or without a flag. Facts: process_init_reply in fs/fuse/inode.c.
 */

import { InitFlag, type InitFlagName } from './flags.js';
import type { ReplyFields, RequestFields } from './operations.js';

/** The settled session. Sizes are bytes. */
export interface Negotiated {
  readonly major: number;
  /** The lower of what kernel and server offered. */
  readonly minor: number;
  /** INIT flags (both words) that the server accepted of those offered; see `InitFlag`. */
  readonly flags: bigint;
  readonly maxReadahead: number;
  readonly maxWrite: number;
  readonly maxPages: number;
  readonly maxBackground: number;
  readonly congestionThreshold: number;
  /** Nanoseconds that the server's times are a multiple of. */
  readonly timeGran: number;
  readonly mapAlignment: number;
  readonly maxStackDepth: number;
  /** Seconds after which the kernel gives a request up; 0 for never. */
  readonly requestTimeout: number;
}

/** Newest minor whose structs and operations the tables hold. */
export const NEWEST_MINOR = 45;
/** From here on the header of a request says how long its extensions are; before, it had padding there. */
export const EXTLEN_SINCE_MINOR = 38;
/** Pages of a request when FUSE_MAX_PAGES was not negotiated (FUSE_DEFAULT_MAX_PAGES_PER_REQ). */
const DEFAULT_MAX_PAGES = 32;
/** The kernel never goes below a page. */
const LEAST_MAX_WRITE = 4096;
/** From here on the kernel reads the flags of the reply. */
const FLAGS_SINCE_MINOR = 6;

/** A session of the newest minor with no optional feature; what to decode with when no INIT was seen. */
export const newestNegotiated: Negotiated = {
  major: 7,
  minor: NEWEST_MINOR,
  flags: 0n,
  maxReadahead: 131072,
  maxWrite: 131072,
  maxPages: DEFAULT_MAX_PAGES,
  maxBackground: 0,
  congestionThreshold: 0,
  timeGran: 1,
  mapAlignment: 0,
  maxStackDepth: 0,
  requestTimeout: 0,
};

type InitFlagFields = Partial<Pick<RequestFields<'INIT'>, 'flags' | 'flags2'>>;

/** Both flag words of an INIT message as one number; `flags2` counts only with FUSE_INIT_EXT. */
export const initFlags = ({ flags = 0, flags2 = 0 }: InitFlagFields): bigint =>
  (BigInt(flags) & InitFlag.INIT_EXT) === 0n ? BigInt(flags) : BigInt(flags) | (BigInt(flags2) << 32n);

/** Whether a feature was settled. */
export const hasFlag = (negotiated: Negotiated, flag: InitFlagName): boolean =>
  (negotiated.flags & InitFlag[flag]) !== 0n;

/** What the kernel makes of the server's answer to its INIT. Both are decoded fields; short old replies lack some. */
export const negotiatedFrom = (
  request: Partial<RequestFields<'INIT'>>,
  reply: Partial<ReplyFields<'INIT'>>,
): Negotiated => {
  const minor = Math.min(request.minor ?? 0, reply.minor ?? 0);
  const flags = minor < FLAGS_SINCE_MINOR ? 0n : initFlags(reply) & initFlags(request);
  const pages = (flags & InitFlag.MAX_PAGES) === 0n ? DEFAULT_MAX_PAGES : Math.max(1, reply.maxPages ?? 1);
  return {
    major: reply.major ?? 0,
    minor,
    flags,
    maxReadahead: Math.min(request.maxReadahead ?? 0, reply.maxReadahead ?? 0),
    maxWrite: Math.max(LEAST_MAX_WRITE, minor < 5 ? 0 : (reply.maxWrite ?? 0)),
    maxPages: pages,
    maxBackground: reply.maxBackground ?? 0,
    congestionThreshold: reply.congestionThreshold ?? 0,
    timeGran: reply.timeGran || 1,
    mapAlignment: reply.mapAlignment ?? 0,
    maxStackDepth: reply.maxStackDepth ?? 0,
    requestTimeout: reply.requestTimeout ?? 0,
  };
};
