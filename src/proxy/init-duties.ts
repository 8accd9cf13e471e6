/**
 * What the proxy must change in INIT, because a socket stands where the server expects the device: features that need
 * the device itself are not offered, and messages are kept small enough for the socket. Everything changed is recorded.
 */

import { decodeReply, decodeRequest, type Reply, type Request } from '../protocol/decode.js';
import { encodeReply, encodeRequest } from '../protocol/encode.js';
import { InitFlag, type InitFlagName } from '../protocol/flags.js';
import { opcodeOf, uniqueOf } from '../protocol/header.js';
import { initFlags, negotiatedFrom, newestNegotiated } from '../protocol/negotiated.js';
import { operationNamed } from '../protocol/operations.js';

/** A change that the proxy made to INIT. */
export interface InitChange {
  /** For people. */
  readonly text: string;
  /** INIT flags concerned, both words as one number; 0 when it is not about flags. */
  readonly bits: bigint;
}

/** The handshake as it crossed both sides: whole frames, headers included. */
export interface InitExchange {
  /** From the kernel. */
  readonly offered: Uint8Array;
  /** To the server. */
  readonly sent: Uint8Array;
  /** From the server. */
  readonly reply: Uint8Array;
  /** To the kernel. */
  readonly written: Uint8Array;
  readonly changes: readonly InitChange[];
}

/** Features that work through the device file itself (uapi/linux/fuse.h), with what a server would do there. */
const deviceOnly: readonly (readonly [flag: InitFlagName, why: string])[] = [
  ['OVER_IO_URING', 'rings are set up on the device file'],
  ['HAS_IO_URING_BUFPOOL', 'rings are set up on the device file'],
  ['PASSTHROUGH', 'backing files are registered by ioctl on the device file'],
  ['MAP_ALIGNMENT', 'direct access needs a virtio device'],
  ['HAS_INODE_DAX', 'direct access needs a virtio device'],
];

const PAGE = 4096;
/** Room beside the data of a request or reply: headers, names, extended attributes of up to 64 KiB. */
const MARGIN = 68 << 10;
/** Larger than any request that a kernel makes whose fs.fuse.max_pages_limit was left alone (256 pages). */
const MAX_DATA = 4 << 20;
/** What fits before INIT has settled anything: 32 pages (FUSE_DEFAULT_MAX_PAGES_PER_REQ) and more. */
const FIRST_MESSAGE = 256 << 10;

/** Follows the handshake of one connection. */
export class InitDuties {
  /** Bytes to have ready for the next request; the kernel refuses to fill a smaller buffer (fuse_dev_do_read). */
  maxRequest = FIRST_MESSAGE;
  /** Settled max_write; before that the least there is. */
  maxWrite = 0;
  /** Bytes to have ready for the next reply. */
  maxReply = FIRST_MESSAGE;
  readonly #maxData: number;
  readonly #changes: InitChange[] = [];
  #offered: Uint8Array | undefined;
  #request: Request<'INIT'> | undefined;
  #sent: Uint8Array | undefined;
  #exchange: InitExchange | undefined;
  #settled = false;

  /** maxMessage: bytes that the server's channel passes in one piece. */
  constructor(maxMessage: number) {
    this.#maxData = Math.floor(Math.min(MAX_DATA, maxMessage - MARGIN) / PAGE) * PAGE;
  }

  /** What goes to the server instead of this request; `undefined` to forward it as it is. */
  request(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#settled || opcodeOf(bytes) !== operationNamed('INIT').opcode) return undefined;
    const decoded = decodeRequest(bytes, newestNegotiated);
    if (decoded.kind !== 'request' || decoded.name !== 'INIT') return undefined;
    const denied = deviceOnly.filter(([flag]) => (initFlags(decoded.fields) & InitFlag[flag]) !== 0n);
    for (const [flag, why] of denied)
      this.#changes.push({ text: `${flag} not offered: ${why}`, bits: InitFlag[flag] });
    this.#request = withoutFlags(
      decoded,
      denied.reduce((bits, [flag]) => bits | InitFlag[flag], 0n),
    );
    this.#offered = bytes.slice();
    this.#sent = encodeRequest(this.#request, newestNegotiated);
    return this.#sent;
  }

  /** What goes to the kernel instead of this reply; `undefined` to forward it as it is. */
  reply(bytes: Uint8Array): Uint8Array | undefined {
    const request = this.#request;
    if (this.#settled || request === undefined || uniqueOf(bytes) !== request.header.unique) return undefined;
    this.#settled = true;
    const decoded = decodeReply(bytes, request, newestNegotiated);
    if (decoded.kind !== 'reply' || !decoded.ok || decoded.name !== 'INIT') return undefined;
    const capped = this.#cap(decoded);
    const written = encodeReply(capped, request, newestNegotiated);
    this.#makeRoom(capped);
    this.maxWrite = negotiatedFrom(request.fields, capped.fields).maxWrite;
    if (this.#offered !== undefined && this.#sent !== undefined)
      this.#exchange = {
        offered: this.#offered,
        sent: this.#sent,
        reply: bytes.slice(),
        written,
        changes: this.#changes,
      };
    return written;
  }

  /** The handshake, once, when it is complete. */
  takeExchange(): InitExchange | undefined {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    return exchange;
  }

  #cap(reply: Reply<'INIT'>): Reply<'INIT'> {
    const { maxWrite = 0, maxPages = 0 } = reply.fields;
    const fields = { ...reply.fields };
    if (maxWrite > this.#maxData) {
      this.#changes.push({
        text: `max_write ${maxWrite} capped to ${this.#maxData}: the channel's buffer`,
        bits: 0n,
      });
      fields.maxWrite = this.#maxData;
    }
    if (maxPages * PAGE > this.#maxData) {
      this.#changes.push({
        text: `max_pages ${maxPages} capped to ${this.#maxData / PAGE}: the channel's buffer`,
        bits: 0n,
      });
      fields.maxPages = this.#maxData / PAGE;
    }
    return { ...reply, fields };
  }

  #makeRoom({ fields }: Reply<'INIT'>): void {
    const largest = Math.max(fields.maxWrite ?? 0, (fields.maxPages ?? 0) * PAGE, FIRST_MESSAGE - MARGIN);
    this.maxRequest = largest + MARGIN;
    this.maxReply = largest + MARGIN;
  }
}

const withoutFlags = (request: Request<'INIT'>, bits: bigint): Request<'INIT'> => {
  const { flags, flags2 } = request.fields;
  const kept = {
    ...(flags === undefined ? {} : { flags: Number(BigInt(flags) & ~bits & 0xffff_ffffn) }),
    ...(flags2 === undefined ? {} : { flags2: Number(BigInt(flags2) & ~(bits >> 32n) & 0xffff_ffffn) }),
  };
  return { ...request, fields: { ...request.fields, ...kept } };
};
