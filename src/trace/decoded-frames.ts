/** Frames of a trace with what they mean: each decoded, with its operation, and each reply with its request. */

import type { NodeId, Unique } from '../base/ids.js';
import {
  type DecodedNotification,
  type DecodedReply,
  type DecodedRequest,
  type DecodeError,
  decodeNotification,
  decodeReply,
  decodeRequest,
} from '../protocol/decode.js';
import { errorOf, isResent, uniqueOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { notificationOf } from '../protocol/notifications.js';
import { operationNamed } from '../protocol/operations.js';
import { replyContext } from '../protocol/reply-context.js';
import { type BlockInfo, seqAfter } from './block-head.js';
import { type FrameKind, kindOf, Pairing, type SentRequest } from './exchange.js';
import type { Frame } from './frame.js';
import type { Trace } from './reader.js';
import { negotiatedBy, Session } from './session.js';

/** A frame and what it means. Fields that its kind does not have are `undefined`. */
export interface DecodedFrame {
  readonly frame: Frame;
  readonly kind: FrameKind;
  /**
   * Name of the operation; of a reply that of its request; `NOTIFY_…` for notifications; `OP_n` and `NOTIFY_n` for
   * numbers that FUSE 7.45 does not have; `undefined` when the request was not seen.
   */
  readonly op: string | undefined;
  readonly message: DecodedRequest | DecodedReply | DecodedNotification | DecodeError;
  /** As in the header, with its marks; `undefined` for notifications and malformed frames. */
  readonly unique: Unique | undefined;
  /** Of the request, also on its reply. */
  readonly nodeid: NodeId | undefined;
  /** Positive errno of a reply, 0 for success. */
  readonly error: number | undefined;
  /** Of a reply: time since its request was sent last. */
  readonly latencyNs: bigint | undefined;
  /** The request that this is, or that this answers. */
  readonly request: SentRequest | undefined;
  /** The request decoded; of a reply, that which it answers. */
  requestMessage(): DecodedRequest | DecodeError | undefined;
  readonly isResend: boolean;
  /** What INIT settled for it. */
  readonly negotiated: Negotiated;
}

const INIT = operationNamed('INIT').opcode;

const isCut = (frame: Frame): boolean => frame.length > frame.bytes.length;

const opName = (frame: Frame, kind: FrameKind, request: SentRequest | undefined): string | undefined => {
  if (kind === 'notification') {
    const code = errorOf(frame.bytes);
    return `NOTIFY_${notificationOf(code)?.name ?? code}`;
  }
  return request && (request.op?.name ?? `OP_${request.opcode}`);
};

const decodeRequestFrame = (frame: Frame, negotiated: Negotiated): DecodedRequest | DecodeError =>
  decodeRequest(frame.bytes, negotiated, { cut: isCut(frame) });

const contextOf = (request: SentRequest | undefined, negotiated: Negotiated) => {
  if (request === undefined) return undefined;
  if (request.frame === undefined) return { op: request.op, fields: {} };
  return replyContext(request.frame.bytes, negotiated);
};

const decodeFrame = (
  frame: Frame,
  request: SentRequest | undefined,
  negotiated: Negotiated,
): DecodedFrame['message'] => {
  const options = { cut: isCut(frame) };
  if (frame.direction === 'toServer') return decodeRequest(frame.bytes, negotiated, options);
  if (kindOf(frame) === 'notification') return decodeNotification(frame.bytes, negotiated, options);
  return decodeReply(frame.bytes, contextOf(request, negotiated), negotiated, options);
};

/** A frame with its meaning; `request` is what `Pairing.see` said. */
export const decoded = (
  frame: Frame,
  request: SentRequest | undefined,
  negotiated: Negotiated,
): DecodedFrame => {
  const kind = kindOf(frame);
  const message = decodeFrame(frame, request, negotiated);
  const isReply = kind === 'reply';
  return {
    frame,
    kind,
    op: opName(frame, kind, request),
    message,
    unique: kind === 'request' || isReply ? uniqueOf(frame.bytes) : undefined,
    nodeid: request?.nodeid,
    error: isReply ? -errorOf(frame.bytes) : undefined,
    latencyNs: isReply && request !== undefined ? frame.timeNs - request.timeNs : undefined,
    request,
    requestMessage: () => {
      if (message.kind === 'request') return message;
      return request?.frame && decodeRequestFrame(request.frame, negotiated);
    },
    isResend: kind === 'request' && isResent(uniqueOf(frame.bytes)),
    negotiated,
  };
};

/** Follows pairing and handshake through the frames of a trace, in order. */
export class FrameDecoder {
  #incarnation: number | undefined;
  #pairing = new Pairing();
  #session = new Session();
  readonly #sessionOf: (incarnation: number) => Negotiated | undefined;

  /** `sessionOf` gives the recorded handshake of an incarnation, where there is one. */
  constructor(sessionOf: (incarnation: number) => Negotiated | undefined = () => undefined) {
    this.#sessionOf = sessionOf;
  }

  /** Requests of the incarnation that are not answered yet. */
  get pairing(): Pairing {
    return this.#pairing;
  }

  /** Takes a frame in; its meaning comes from what came before. */
  decode(frame: Frame): DecodedFrame {
    const request = this.see(frame);
    return decoded(frame, request, this.#session.negotiated);
  }

  /** Takes a frame in without decoding it. */
  see(frame: Frame): SentRequest | undefined {
    this.enter(frame.incarnation);
    this.#session.see(frame.direction, frame.bytes);
    return this.#pairing.see(frame);
  }

  /** Begins an incarnation, unless it is the one that goes on. */
  enter(incarnation: number): void {
    if (incarnation === this.#incarnation) return;
    this.#incarnation = incarnation;
    this.#pairing = new Pairing();
    this.#session = new Session(this.#sessionOf(incarnation));
  }
}

const sessionsOf = (trace: Trace) => (incarnation: number) => {
  const init = trace.incarnations.find((one) => one.incarnation === incarnation)?.init;
  return init && negotiatedBy(init.offered, init.written);
};

/** Which frames to decode. */
export interface DecodeRange {
  /** Blocks for which this is false are skipped. */
  readonly blocks?: (block: BlockInfo) => boolean;
}

/**
 * Decoded frames of a trace in order. Where blocks are skipped, the requests that the others answer are still looked up,
 * so a reply is the same whether all of the trace is read or a piece.
 */
export function* decodedFrames(trace: Trace, range: DecodeRange = {}): Generator<DecodedFrame> {
  const decoder = new FrameDecoder(sessionsOf(trace));
  const first = trace.blocks[0];
  if (first !== undefined) decoder.enter(first.incarnation);
  for (const waiting of trace.header.waiting) decoder.pairing.addWaiting(waiting);
  for (const { block, isWanted } of blocksToRead(trace, range)) {
    for (const frame of trace.framesOf(block)) {
      if (isWanted) yield decoder.decode(frame);
      else decoder.see(frame);
    }
  }
}

/** Position of the first block that ends after a sequence number. */
const firstAfter = (blocks: readonly BlockInfo[], seq: number): number => {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const block = blocks[middle];
    if (block !== undefined && seqAfter(block) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** The wanted blocks, each preceded by those that hold the requests it answers, and by the handshake. */
function* blocksToRead(
  trace: Trace,
  range: DecodeRange,
): Generator<{ readonly block: BlockInfo; readonly isWanted: boolean }> {
  const { blocks } = trace;
  const unread = new Set(blocks);
  const handshakes = blocks.filter(({ ops }) => ops.some(({ op }) => op === INIT));
  for (const [i, block] of blocks.entries()) {
    if (range.blocks !== undefined && !range.blocks(block)) continue;
    const asking = blocks.slice(firstAfter(blocks, block.oldestRequestSeq), i);
    const before = [...handshakes.filter((one) => one.firstSeq < block.firstSeq), ...asking];
    for (const earlier of before) {
      if (earlier.incarnation !== block.incarnation || !unread.delete(earlier)) continue;
      yield { block: earlier, isWanted: false };
    }
    unread.delete(block);
    yield { block, isWanted: true };
  }
}
