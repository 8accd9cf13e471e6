/** Speaks to a server as the kernel would, one request at a time, and writes both sides into a trace. */

import { nowNs } from '../../base/clock.js';
import { RelightError } from '../../base/error.js';
import { type DecodedReply, decodeReply } from '../../protocol/decode.js';
import { type Draft, encodeRequest } from '../../protocol/encode.js';
import { newestNegotiated } from '../../protocol/negotiated.js';
import { type OperationName, operationNamed, type RequestFields } from '../../protocol/operations.js';
import { replyContext } from '../../protocol/reply-context.js';
import type { TraceWriter } from '../../trace/writer.js';
import { Connection } from '../../transport/connection.js';

const REPLY_TIMEOUT_MS = 10_000;

/** One side of a conversation. */
export class Talk {
  readonly #connection: Connection;
  readonly #trace: TraceWriter;
  #unique = 0n;

  /** channel: our end, which is closed with the talk; maxMessage: bytes of the largest message. */
  constructor(channel: number, maxMessage: number, trace: TraceWriter) {
    this.#connection = new Connection(channel, maxMessage);
    this.#trace = trace;
  }

  /** Says something that has no answer. */
  tell<N extends OperationName>(name: N, nodeid: bigint, fields: Draft<RequestFields<N>>): Uint8Array {
    this.#unique += 2n;
    const header = { unique: this.#unique, nodeid, pid: process.pid };
    const request = encodeRequest({ name, header, fields }, newestNegotiated);
    this.#trace.append('toServer', nowNs(), request);
    this.#connection.send(request);
    return request;
  }

  /** Asks and waits for the reply. Throws `server` when none comes. */
  ask<N extends OperationName>(name: N, nodeid: bigint, fields: Draft<RequestFields<N>>): DecodedReply {
    const request = this.tell(name, nodeid, fields);
    const reply = decodeReply(this.#receive(), replyContext(request, newestNegotiated), newestNegotiated);
    if (reply.kind === 'reply') return reply;
    throw new RelightError('server', `the server's answer to ${operationNamed(name).name} makes no sense`);
  }

  /** The last word: the server sees end of file. */
  close(): void {
    this.#connection.close();
  }

  #receive(): Uint8Array {
    let message: Uint8Array | undefined;
    this.#connection.wait(REPLY_TIMEOUT_MS);
    this.#connection.receive((bytes) => {
      message = bytes.slice();
      return false;
    }, 0);
    if (message === undefined) throw new RelightError('server', 'the server does not answer');
    this.#trace.append('toKernel', nowNs(), message);
    return message;
  }
}
