/** Heads of blocks as a reader sees them: what can be known of a block without reading its frames. */

import { MAX_BLOCK_FRAMES, MAX_RAW_BLOCK } from './format.js';
import type { relight } from './generated/schema.js';
import { mayContain } from './node-set.js';
import { countFromLong, fromLong } from './wire-values.js';

/** Frames of an operation in a block. */
export interface OpCount {
  /** Opcode; 0x10000 + code for notifications, 0xffff for replies to unknown requests. */
  readonly op: number;
  readonly toServer: number;
  readonly toKernel: number;
  /** Replies with an error. */
  readonly errors: number;
}

/** A block in a file. */
export interface BlockInfo {
  /** Where its record begins, and all its bytes. */
  readonly offset: number;
  readonly length: number;
  readonly codec: number;
  /** Bytes before compression. */
  readonly rawLength: number;
  /** Sequence number of the first frame, or of the first one lost before it. */
  readonly firstSeq: number;
  readonly count: number;
  /** Frames that were lost within its range of sequence numbers. */
  readonly lost: number;
  readonly incarnation: number;
  readonly firstTimeNs: bigint;
  readonly earliestTimeNs: bigint;
  readonly latestTimeNs: bigint;
  readonly ops: readonly OpCount[];
  /** All requests that are answered here were sent at this sequence number or later. */
  readonly oldestRequestSeq: number;
  /** False when no frame of the block belongs to the node. */
  mayMention(nodeid: bigint): boolean;
}

/** Sequence number after the last frame of a block. */
export const seqAfter = (block: BlockInfo): number => block.firstSeq + block.count + block.lost;

const opCount = (message: relight.trace.OpCount.$Properties): OpCount => ({
  op: message.op ?? 0,
  toServer: message.requests ?? 0,
  toKernel: message.replies ?? 0,
  errors: message.errors ?? 0,
});

/** A block from the decoded message; `undefined` when it claims more than any block may hold. */
export const blockInfo = (
  head: relight.trace.BlockHead.$Properties,
  place: { readonly offset: number; readonly length: number },
): BlockInfo | undefined => {
  const rawLength = head.rawLength ?? 0;
  const count = head.count ?? 0;
  if (rawLength > MAX_RAW_BLOCK || count > MAX_BLOCK_FRAMES || count > rawLength) return undefined;
  const nodes = head.nodes ?? new Uint8Array(0);
  const firstTimeNs = fromLong(head.firstTimeNs);
  const lost = countFromLong(head.lost);
  const firstSeq = countFromLong(head.firstSeq);
  if (!Number.isSafeInteger(firstSeq + lost + count)) return undefined;
  return {
    ...place,
    codec: head.codec ?? 0,
    rawLength,
    firstSeq,
    count,
    lost,
    incarnation: head.incarnation ?? 0,
    firstTimeNs,
    earliestTimeNs: head.earliestTimeNs == null ? firstTimeNs : fromLong(head.earliestTimeNs),
    latestTimeNs: fromLong(head.lastTimeNs),
    ops: (head.ops ?? []).map(opCount),
    oldestRequestSeq: head.oldestRequestSeq == null ? firstSeq : countFromLong(head.oldestRequestSeq),
    mayMention: (nodeid) => mayContain(nodes, nodeid),
  };
};
