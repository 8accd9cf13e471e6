/**
 * Header fields read straight from the bytes of a frame, for code that routes, filters or patches frames and has no use
 * for a decoded view. Offsets: `fuse_in_header` (40 bytes) and `fuse_out_header` (16). The caller makes sure that a
 * whole header is there (`holdsRequest`, `holdsReply`); bytes beyond the end read as 0.
 */

import { type NodeId, nodeId, type Unique, unique } from '../base/ids.js';
import { UNIQUE_INTERRUPT, UNIQUE_RESEND } from './flags.js';
import { putU64At, u32At, u64At } from './raw.js';

/** Bytes of `fuse_in_header`. */
export const IN_HEADER_SIZE = 40;
/** Bytes of `fuse_out_header`. */
export const OUT_HEADER_SIZE = 16;
/** Where `unique` stands in either header. */
export const UNIQUE_AT = 8;
/** Where `nodeid` stands in a request. */
export const NODEID_AT = 16;

/** Whether the bytes hold a request's header. */
export const holdsRequest = (bytes: Uint8Array): boolean => bytes.length >= IN_HEADER_SIZE;
/** Whether the bytes hold a reply's or notification's header. */
export const holdsReply = (bytes: Uint8Array): boolean => bytes.length >= OUT_HEADER_SIZE;

/** Bytes that the sender says the frame has, header included. */
export const lengthOf = (bytes: Uint8Array): number => u32At(bytes, 0);
/** Opcode of a request. */
export const opcodeOf = (bytes: Uint8Array): number => u32At(bytes, 4);
/** `error` of a reply: 0 or a negative errno; the code of a notification. */
export const errorOf = (bytes: Uint8Array): number => u32At(bytes, 4) | 0;
/** Unique of a request or reply; 0 in a notification. */
export const uniqueOf = (bytes: Uint8Array): Unique => unique(u64At(bytes, UNIQUE_AT));
/** `header.nodeid` of a request. */
export const nodeidOf = (bytes: Uint8Array): NodeId => nodeId(u64At(bytes, NODEID_AT));

/** Whether a frame from the server is a notification and not a reply (unique 0; fuse_dev_do_write, fs/fuse/dev.c). */
export const isNotification = (bytes: Uint8Array): boolean =>
  u32At(bytes, UNIQUE_AT) === 0 && u32At(bytes, UNIQUE_AT + 4) === 0;

/** Writes the unique of a request or reply in place. */
export const setUnique = (bytes: Uint8Array, value: bigint): void => putU64At(bytes, UNIQUE_AT, value);

/** A reply without a body: `fuse_out_header` with an errno, which is positive here. */
export const failure = (value: bigint, errno: number): Uint8Array => {
  const bytes = new Uint8Array(OUT_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setInt32(4, -errno, true);
  setUnique(bytes, value);
  return bytes;
};

/** Whether the kernel sent this request before (FUSE_UNIQUE_RESEND). */
export const isResent = (value: bigint): boolean => (value & UNIQUE_RESEND) !== 0n;
/** The unique without the marks for resending and interrupting: what the request was first sent with. */
export const plainUnique = (value: bigint): Unique => unique(value & ~(UNIQUE_RESEND | UNIQUE_INTERRUPT));
