/**
 * System calls of a tour as generators: they yield requests, one at a time, and are resumed with what became of each. They
 * do no IO and know no server; whoever drives them does.
 */

import { Errno } from '../../base/errno.js';
import type { LockOwner } from '../../base/ids.js';
import { type Draft, encodeRequest } from '../../protocol/encode.js';
import type { InitFlagName } from '../../protocol/flags.js';
import { hasFlag, type Negotiated } from '../../protocol/negotiated.js';
import type { OperationName, ReplyFields, RequestFields } from '../../protocol/operations.js';
import { replyFieldsOf } from '../../protocol/reply-fields.js';

/** A request as a caller wants it sent; the kernel gives it its unique. */
export interface Request {
  readonly name: OperationName;
  readonly bytes: Uint8Array;
}

/** What a caller gets back. */
export interface Outcome {
  /** 0 or a positive errno. */
  readonly errno: number;
  /** `undefined` when the kernel answered in the server's place. */
  readonly reply: Uint8Array | undefined;
}

/** System calls with a result. */
export type Calls<T> = Generator<Request, T, Outcome>;

/** The answer to one request. */
export interface Answer<N extends OperationName> {
  readonly errno: number;
  /** `undefined` with an error, and with a success that the kernel gave because the server does not implement the operation. */
  readonly fields: ReplyFields<N> | undefined;
}

/** What callers may know of the kernel. */
export interface KernelView {
  readonly negotiated: Negotiated;
  /** Bytes of the largest READ by the mount's options; `undefined` when they do not say. */
  readonly maxRead: number | undefined;
  /** Whether the kernel would send an operation now. */
  sends(name: OperationName): boolean;
}

/** The process in whose name the calls are made: this one. */
const credentials = {
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
  pid: process.pid,
};

/** Makes requests for one process. */
export class Caller {
  /** Owner of the process's locks (`fuse_lock_owner_id`), as FLUSH and SETATTR name it. */
  readonly owner: LockOwner;
  readonly #kernel: KernelView;

  constructor(kernel: KernelView, owner: LockOwner) {
    this.#kernel = kernel;
    this.owner = owner;
  }

  /** What INIT settled. */
  get negotiated(): Negotiated {
    return this.#kernel.negotiated;
  }

  /** Bytes of the largest READ that the mount's options allow. */
  get maxRead(): number {
    return this.#kernel.maxRead ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the kernel would send an operation now. */
  sends(name: OperationName): boolean {
    return this.#kernel.sends(name);
  }

  /** Whether a feature was settled. */
  has(flag: InitFlagName): boolean {
    return hasFlag(this.#kernel.negotiated, flag);
  }

  /** Sends a request about a node and waits for its answer. */
  *ask<N extends OperationName>(name: N, nodeid: bigint, fields: Draft<RequestFields<N>>): Calls<Answer<N>> {
    const { negotiated } = this.#kernel;
    const header = { unique: 0n, nodeid, ...credentials };
    const { errno, reply } = yield { name, bytes: encodeRequest({ name, header, fields }, negotiated) };
    if (errno !== 0 || reply === undefined) return { errno, fields: undefined };
    const decoded = replyFieldsOf({ name, fields }, reply, negotiated);
    return decoded === undefined && !isSpared(reply)
      ? { errno: Errno.EIO, fields: undefined }
      : { errno, fields: decoded };
  }
}

const ERROR_AT = 4;

/** A success made of the server's ENOSYS: the reply itself still says so. */
const isSpared = (reply: Uint8Array): boolean =>
  new DataView(reply.buffer, reply.byteOffset).getInt32(ERROR_AT, true) === -Errno.ENOSYS;
