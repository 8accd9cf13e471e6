/** Cuts contents (file data, attribute values) out of frames as a payload mode says; where they are, the operation table knows. */

import { createHash } from 'node:crypto';
import {
  type ContentSite,
  notificationContent,
  replyContent,
  requestContent,
} from '../protocol/content-sites.js';
import type { ReplyContext } from '../protocol/decode.js';
import { errorOf, holdsReply, holdsRequest, isNotification, opcodeOf, uniqueOf } from '../protocol/header.js';
import { notificationOf } from '../protocol/notifications.js';
import { type Operation, operationOf, operations } from '../protocol/operations.js';
import type { Part } from '../protocol/parts.js';
import { replyContext } from '../protocol/reply-context.js';
import type { PayloadMode } from './context.js';
import type { Direction } from './frame.js';
import { Session } from './session.js';

/** A frame of which only the first bytes are kept. */
export interface PayloadCut {
  /** Bytes kept. */
  readonly kept: number;
  readonly wireLength: number;
  readonly digest?: Uint8Array;
}

/** Decides how much of each frame is kept; frames have to come in order. `undefined` when all of it. */
export type PayloadCutter = (direction: Direction, bytes: Uint8Array) => PayloadCut | undefined;

/** Requests remembered at most, for a server that answers none. */
const MAX_CONTEXTS = 1 << 16;

const isData = (part: Part): boolean =>
  part.kind === 'choice'
    ? [...part.then, ...part.otherwise].some(isData)
    : part.kind === 'bytes' && part.content === 'data';

/** Operations whose replies carry contents. */
const answering: ReadonlySet<Operation> = new Set(operations.filter(({ reply }) => reply?.some(isData)));

/** Contents of frames as they pass: remembers of each request what its reply is read with. */
class Contents {
  readonly #session = new Session();
  readonly #contexts = new Map<bigint, ReplyContext>();

  sites(direction: Direction, bytes: Uint8Array): ContentSite[] {
    this.#session.see(direction, bytes);
    return direction === 'toServer' ? this.#ofRequest(bytes) : this.#ofReply(bytes);
  }

  #ofRequest(bytes: Uint8Array): ContentSite[] {
    const op = holdsRequest(bytes) ? operationOf(opcodeOf(bytes)) : undefined;
    if (op === undefined) return [];
    if (answering.has(op) && this.#contexts.size < MAX_CONTEXTS)
      this.#contexts.set(uniqueOf(bytes), replyContext(bytes, this.#session.negotiated));
    return op.request.some(isData) ? requestContent(bytes, op, this.#session.negotiated) : [];
  }

  #ofReply(bytes: Uint8Array): ContentSite[] {
    if (!holdsReply(bytes)) return [];
    if (isNotification(bytes)) {
      const notification = notificationOf(errorOf(bytes));
      return notification ? notificationContent(bytes, notification, this.#session.negotiated) : [];
    }
    const unique = uniqueOf(bytes);
    const context = this.#contexts.get(unique);
    this.#contexts.delete(unique);
    return context === undefined ? [] : replyContent(bytes, context, this.#session.negotiated);
  }
}

/** A cutter for one recording. */
export const payloadCutter = (mode: PayloadMode): PayloadCutter => {
  if (mode.kind === 'full') return () => undefined;
  const contents = new Contents();
  const most = mode.kind === 'first' ? mode.bytes : 0;
  return (direction, bytes) => {
    const data = contents.sites(direction, bytes).find(({ content }) => content === 'data');
    // Contents end their frame in every message; anything else is left whole rather than guessed at.
    if (data === undefined || data.end !== bytes.length) return undefined;
    const kept = Math.min(data.end, data.start + most);
    if (kept === data.end) return undefined;
    const cut = { kept, wireLength: bytes.length };
    if (mode.kind !== 'hash') return cut;
    return { ...cut, digest: createHash('sha256').update(bytes.subarray(kept)).digest() };
  };
};
