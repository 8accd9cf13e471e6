/** Recordings made up for tests: requests and replies as fields, in the order in which they crossed the device. */

import { decodeRequest } from '#relight/protocol/decode.js';
import {
  type Draft,
  encodeError,
  encodeNotification,
  encodeReply,
  encodeRequest,
  type NotificationDraft,
} from '#relight/protocol/encode.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { type Negotiated, newestNegotiated } from '#relight/protocol/negotiated.js';
import type { OperationName, ReplyFields, RequestFields } from '#relight/protocol/operations.js';
import type { Frame } from '#relight/trace/frame.js';

const RESEND = 1n << 63n;

/** What identifies a node in replies. */
export interface EntryDraft {
  readonly nodeid: bigint;
  readonly generation?: bigint;
  readonly attr?: { readonly mode?: number; readonly size?: bigint; readonly ino?: bigint };
}

/** A directory and a regular file. */
export const DIRECTORY = 0o040755;
export const FILE = 0o100644;

/** Collects frames; a microsecond passes between two. */
export class Conversation {
  readonly frames: Frame[] = [];
  readonly session: Negotiated;
  incarnation = 0;
  #unique = 0n;

  constructor(session: Negotiated = newestNegotiated) {
    this.session = session;
  }

  /** Sends a request and gives its bytes. */
  ask<N extends OperationName>(
    name: N,
    nodeid: bigint,
    fields?: Draft<RequestFields<N>>,
    unique = this.nextUnique(),
  ): Uint8Array {
    const header = { unique, nodeid, uid: 1000, gid: 1000, pid: 4242 };
    const draft = fields === undefined ? { name, header } : { name, header, fields };
    return this.put('toServer', encodeRequest(draft, this.session));
  }

  /** Sends a request again, as the kernel does after NOTIFY_RESEND. */
  resend(request: Uint8Array): Uint8Array {
    const bytes = request.slice();
    new DataView(bytes.buffer).setBigUint64(8, uniqueOf(request) | RESEND, true);
    return this.put('toServer', bytes);
  }

  /** Answers a request; with a number, by that error (a negative errno). */
  answer<N extends OperationName>(
    request: Uint8Array,
    name: N,
    fields: Draft<ReplyFields<N>> | number,
  ): void {
    const unique = uniqueOf(request);
    if (typeof fields === 'number') this.put('toKernel', encodeError(unique, fields));
    else {
      const decoded = decodeRequest(request, this.session);
      if (decoded.kind !== 'request') throw new Error('not a request');
      this.put('toKernel', encodeReply({ name, header: { unique }, fields }, decoded, this.session));
    }
  }

  /** A request and its answer at once. */
  exchange<N extends OperationName>(
    name: N,
    nodeid: bigint,
    request: Draft<RequestFields<N>>,
    reply: Draft<ReplyFields<N>> | number,
  ): Uint8Array {
    const bytes = this.ask(name, nodeid, request);
    this.answer(bytes, name, reply);
    return bytes;
  }

  lookup(parent: bigint, name: string, entry: EntryDraft | number): Uint8Array {
    return this.exchange('LOOKUP', parent, { name }, entry);
  }

  notify(draft: NotificationDraft): void {
    this.put('toKernel', encodeNotification(draft, this.session));
  }

  nextUnique(): bigint {
    this.#unique += 2n;
    return this.#unique;
  }

  /** Adds a frame as it is. */
  put(direction: Frame['direction'], bytes: Uint8Array, length = bytes.length): Uint8Array {
    const seq = this.frames.length;
    const timeNs = 1_700_000_000_000_000_000n + BigInt(seq) * 1000n;
    this.frames.push({ seq, timeNs, direction, incarnation: this.incarnation, bytes, length });
    return bytes;
  }

  /** What `lift` takes. */
  get recording(): { frames: () => readonly Frame[] } {
    return { frames: () => this.frames };
  }
}
