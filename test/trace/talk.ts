/** A recorded session in miniature: real frames of a few operations, encoded by the protocol's own codec. */

import { encodeError, encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import type { OperationName } from '#relight/protocol/operations.js';
import type { TraceWriter } from '#relight/trace/writer.js';
import { context } from './support.js';

type Numbers = Readonly<Record<string, unknown>>;

/** Writes exchanges into a trace; times go on by themselves. */
export class Talk {
  readonly #writer: TraceWriter;
  #unique = 0n;
  timeNs = context.startTimeNs;

  constructor(writer: TraceWriter) {
    this.#writer = writer;
  }

  /** Sends a request and gives its unique. */
  ask(name: OperationName, nodeid: bigint, fields: Numbers = {}, unique = this.#next()): bigint {
    this.timeNs += 10_000n;
    const draft = { name, header: { unique, nodeid, uid: 1000, gid: 100, pid: 77 }, fields };
    // Tests name the fields that they care about; the others are zero.
    const bytes = encodeRequest(draft as Parameters<typeof encodeRequest>[0], newestNegotiated);
    this.#writer.append('toServer', this.timeNs, bytes);
    return unique;
  }

  /** Answers a request. */
  answer(
    name: OperationName,
    unique: bigint,
    fields: Numbers = {},
    afterNs = 5_000n,
    request: Numbers = {},
  ): void {
    this.timeNs += afterNs;
    const draft = { name, header: { unique }, fields };
    const bytes = encodeReply(
      draft as Parameters<typeof encodeReply>[0],
      { fields: request as Record<string, bigint> },
      newestNegotiated,
    );
    this.#writer.append('toKernel', this.timeNs, bytes);
  }

  /** Answers with a positive errno. */
  fail(unique: bigint, error: number, afterNs = 5_000n): void {
    this.timeNs += afterNs;
    this.#writer.append('toKernel', this.timeNs, encodeError(unique, -error));
  }

  /** The server says that a name is gone. */
  invalidate(parent: bigint, name: string): void {
    this.timeNs += 1_000n;
    const fields = { parent, namelen: name.length, flags: 0, name };
    const draft = { name: 'INVAL_ENTRY' as const, fields };
    this.#writer.append(
      'toKernel',
      this.timeNs,
      encodeNotification(draft as Parameters<typeof encodeNotification>[0]),
    );
  }

  lookup(parent: bigint, name: string, nodeid: bigint, ino = nodeid, afterNs?: bigint): void {
    const unique = this.ask('LOOKUP', parent, { name });
    this.answer(
      'LOOKUP',
      unique,
      { nodeid, generation: 1n, attr: { ino, mode: 0o100644, nlink: 1 } },
      afterNs,
    );
  }

  open(nodeid: bigint, fh: bigint): void {
    this.answer('OPEN', this.ask('OPEN', nodeid), { fh });
  }

  read(nodeid: bigint, fh: bigint, data: Uint8Array, afterNs?: bigint): void {
    this.answer('READ', this.ask('READ', nodeid, { fh, offset: 0n, size: 4096 }), { data }, afterNs);
  }

  write(nodeid: bigint, fh: bigint, data: Uint8Array): void {
    const unique = this.ask('WRITE', nodeid, { fh, offset: 0n, size: data.length, data });
    this.answer('WRITE', unique, { size: data.length });
  }

  #next(): bigint {
    this.#unique += 2n;
    return this.#unique;
  }
}
