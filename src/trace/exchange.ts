/**
 * Which reply belongs to which request, by unique, within one incarnation: a resent request (bit 63) is the same request
 * again, an INTERRUPT (bit 0) is one of its own. Works on headers and decodes nothing.
 */

import type { NodeId, Unique } from '../base/ids.js';
import { nodeId, unique } from '../base/ids.js';
import { UNIQUE_INTERRUPT, UNIQUE_RESEND } from '../protocol/flags.js';
import {
  holdsReply,
  holdsRequest,
  isNotification,
  isResent,
  nodeidOf,
  opcodeOf,
  uniqueOf,
} from '../protocol/header.js';
import { type Operation, operationOf } from '../protocol/operations.js';
import type { Waiting } from './context.js';
import type { Frame } from './frame.js';

/** A request that was sent to the server. */
export interface SentRequest {
  /** Without the resend mark. */
  readonly unique: Unique;
  readonly opcode: number;
  /** Its row; `undefined` for an opcode that FUSE 7.45 does not have. */
  readonly op: Operation | undefined;
  readonly nodeid: NodeId;
  /** Of the last time it was sent in this incarnation. */
  readonly seq: number;
  readonly timeNs: bigint;
  /** The frame of that time; `undefined` when it is in an earlier part of a rotated trace. */
  readonly frame: Frame | undefined;
  /** How often the kernel sent it again, as far as this incarnation saw. */
  readonly resends: number;
}

/** What a frame is, as far as its header tells. */
export type FrameKind = 'request' | 'reply' | 'notification' | 'malformed';

/** Kind of a frame; `malformed` when it is too short for its header. */
export const kindOf = (frame: Frame): FrameKind => {
  if (frame.direction === 'toServer') return holdsRequest(frame.bytes) ? 'request' : 'malformed';
  if (!holdsReply(frame.bytes)) return 'malformed';
  return isNotification(frame.bytes) ? 'notification' : 'reply';
};

const withoutResend = (value: bigint): Unique => unique(value & ~UNIQUE_RESEND);

/** The requests of one incarnation that wait for an answer. */
export class Pairing {
  readonly #waiting = new Map<bigint, SentRequest>();

  /** Takes note of a frame: gives the request that it is or that it answers, `undefined` for all else. */
  see(frame: Frame): SentRequest | undefined {
    const kind = kindOf(frame);
    if (kind === 'request') return this.#sent(frame);
    return kind === 'reply' ? this.#answered(frame) : undefined;
  }

  /** Adds a request of an earlier part of a rotated trace. */
  addWaiting(waiting: Waiting): void {
    const { opcode, seq, timeNs } = waiting;
    const sent = {
      unique: withoutResend(waiting.unique),
      nodeid: nodeId(waiting.nodeid),
      opcode,
      seq,
      timeNs,
    };
    this.#waiting.set(sent.unique, { ...sent, op: operationOf(opcode), frame: undefined, resends: 0 });
  }

  /** Requests that are owed an answer, oldest first. */
  inFlight(): SentRequest[] {
    return [...this.#waiting.values()].filter(({ op }) => (op?.replyRule ?? 'always') === 'always');
  }

  #sent(frame: Frame): SentRequest {
    const id = withoutResend(uniqueOf(frame.bytes));
    const opcode = opcodeOf(frame.bytes);
    const op = operationOf(opcode);
    const before = this.#waiting.get(id);
    const sent: SentRequest = {
      unique: id,
      opcode,
      op,
      nodeid: nodeidOf(frame.bytes),
      seq: frame.seq,
      timeNs: frame.timeNs,
      frame,
      resends: (before?.resends ?? 0) + (isResent(uniqueOf(frame.bytes)) ? 1 : 0),
    };
    if (op?.replyRule !== 'never') this.#waiting.set(id, sent);
    return sent;
  }

  #answered(frame: Frame): SentRequest | undefined {
    const id = withoutResend(uniqueOf(frame.bytes));
    const sent = this.#waiting.get(id);
    this.#waiting.delete(id);
    // Nothing answers the INTERRUPT of a request that is done.
    if ((id & UNIQUE_INTERRUPT) === 0n) this.#waiting.delete(id | UNIQUE_INTERRUPT);
    return sent;
  }
}
