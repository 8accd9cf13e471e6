/**
 * What to do with a request that the kernel sends again after a restart (FUSE_NOTIFY_RESEND, bit 63 of its unique): a server
 * that remembers what it answered answers once more, instead of making, removing or writing a second time.
 */

import { crc32 } from 'node:zlib';
import { type NodeId, nodeId } from '../../base/ids.js';
import type { DecodedRequest, Request } from '../../protocol/decode.js';
import { holdsRequest, isResent, opcodeOf, plainUnique, setUnique, uniqueOf } from '../../protocol/header.js';
import { requestIdMap, visitIds } from '../../protocol/id-sites.js';
import { newestNegotiated } from '../../protocol/negotiated.js';
import { type OperationName, operationOf } from '../../protocol/operations.js';
import type { Answered } from '../store/change.js';
import { isRefusal, type Refusal } from '../store/refusal.js';
import type { Answer, Handlers } from './handler.js';
import { openOut } from './handlers/opening.js';
import { nodeOf, type Server } from './server.js';

/** Answers kept; a kernel has far fewer requests under way (max_background, and one for each waiting thread). */
const KEPT = 4096;

/** Bytes of `fuse_in_header` before the nodeid: length, opcode, unique. */
const UNIQUE_END = 16;

/** Operations that are done again all the same: what they answered names something that only lived as long as they did. */
const fleeting: readonly unknown[] = ['TMPFILE'] satisfies OperationName[];

/** The answers of this incarnation and those before it. */
export class Answers {
  readonly #byUnique = new Map<bigint, Answered>();

  constructor(earlier: readonly Answered[]) {
    for (const answer of earlier) this.remember(answer);
  }

  /** Keeps an answer. */
  remember(answer: Answered): void {
    this.#byUnique.set(answer.unique, answer);
    const [oldest] = this.#byUnique.keys();
    if (this.#byUnique.size > KEPT && oldest !== undefined) this.#byUnique.delete(oldest);
  }

  /** What a resent request was answered; `undefined` for a new request, or one that was never answered. */
  recall(request: Uint8Array): Answered | undefined {
    const unique = holdsRequest(request) ? uniqueOf(request) : 0n;
    if (!isResent(unique) || fleeting.includes(operationOf(opcodeOf(request))?.name)) return undefined;
    const known = this.#byUnique.get(plainUnique(unique));
    return known?.digest === digestOf(request) ? known : undefined;
  }
}

/** The record of an answer. */
export const answeredOf = (request: Uint8Array, reply: Uint8Array): Answered => ({
  unique: plainUnique(uniqueOf(request)),
  digest: digestOf(request),
  reply,
});

/** Over everything but the ids: a kernel that knows the new ones sends a request again with them. */
const digestOf = (request: Uint8Array): number => {
  const copy = Uint8Array.from(request);
  const op = operationOf(opcodeOf(request));
  // The layouts of one minor serve: the sum is only ever compared with one made in the same way.
  if (op)
    visitIds(requestIdMap(op, newestNegotiated), copy, (_use, offset) => copy.fill(0, offset, offset + 8));
  return crc32(copy.subarray(UNIQUE_END), request[4] ?? 0);
};

/** The bytes of an old answer under the unique of the resent request; only for replies that name nothing new. */
export const repeated = (reply: Uint8Array, unique: bigint): Uint8Array => {
  const again = reply.slice();
  setUnique(again, unique);
  return again;
};

/** Operations whose reply names what they made: those ids mean nothing after a restart, so the reply is made anew. */
type Making = 'MKNOD' | 'MKDIR' | 'SYMLINK' | 'LINK' | 'CREATE' | 'OPEN';
type MakingRequest = { [N in Making]: Request<N> }[Making];
const making = new Set<unknown>(['MKNOD', 'MKDIR', 'SYMLINK', 'LINK', 'CREATE', 'OPEN'] satisfies Making[]);

/** Whether a request is told the node of what it makes, or the handle of what it opens (and changes: O_TRUNC). */
export const isMaking = (request: DecodedRequest): request is MakingRequest => making.has(request.name);

const reopened = (server: Server, nodeid: NodeId, flags: number): ReturnType<typeof openOut> | Refusal => {
  const inode = nodeOf(server, nodeid);
  return isRefusal(inode) ? inode : openOut(server, inode, flags);
};

/** The answer to a request that was done before: what it made or opened, with the ids of this incarnation. */
export const remade = (handlers: Handlers, server: Server, request: MakingRequest): Answer<'CREATE'> => {
  if (request.name === 'OPEN') return reopened(server, request.header.nodeid, request.fields.flags);
  const { header, fields } = request;
  const name = 'newname' in fields ? fields.newname : fields.name;
  const entry = handlers.LOOKUP({ server, header, fields: { name } });
  if (entry === 'silent' || isRefusal(entry) || !('flags' in fields)) return entry;
  const opened = reopened(server, nodeId(entry.nodeid ?? 0n), fields.flags);
  return isRefusal(opened) ? opened : { ...entry, ...opened };
};
