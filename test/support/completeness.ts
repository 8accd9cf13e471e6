/**
 * Whether a trace holds whole conversations: every request has the replies it should have, every frame is understood to the
 * last byte, and what was understood gives back the same bytes.
 */

import {
  type DecodedRequest,
  type DecodeError,
  decodeNotification,
  decodeReply,
  decodeRequest,
} from '#relight/protocol/decode.js';
import { encodeNotification, encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { isNotification, uniqueOf } from '#relight/protocol/header.js';
import { type Negotiated, negotiatedFrom, newestNegotiated } from '#relight/protocol/negotiated.js';
import type { Frame } from '#relight/trace/frame.js';
import { openTrace, type Trace } from '#relight/trace/reader.js';

/** What was counted, and everything that is not as it should be (`problems`, a line each). */
export interface Completeness {
  readonly requests: number;
  readonly replies: number;
  readonly notifications: number;
  readonly problems: readonly string[];
}

type Unanswered = Map<bigint, DecodedRequest>;

/** Follows the conversation of one incarnation. */
class Follower {
  readonly problems: string[] = [];
  readonly unanswered: Unanswered = new Map();
  /** What else was asked under a unique, for the message about a reply that nobody waits for. */
  readonly #asked = new Map<bigint, string>();
  requests = 0;
  replies = 0;
  notifications = 0;
  #negotiated: Negotiated = newestNegotiated;

  see(frame: Frame): void {
    const problems = [this.#cut(frame), this.#look(frame)].filter((problem) => problem !== undefined);
    for (const problem of problems) this.problems.push(`frame ${frame.seq}: ${problem}`);
  }

  #cut({ bytes, length }: Frame): string | undefined {
    return bytes.length === length ? undefined : `${length - bytes.length} bytes were cut away`;
  }

  #look({ direction, bytes }: Frame): string | undefined {
    if (direction === 'toServer') return this.#request(bytes);
    return isNotification(bytes) ? this.#notification(bytes) : this.#reply(bytes);
  }

  #request(bytes: Uint8Array): string | undefined {
    this.requests += 1;
    const request = decodeRequest(bytes, this.#negotiated);
    if (request.kind === 'decodeError') return inWords(request);
    const { op, header } = request;
    if (op === undefined) return `unknown opcode ${header.opcode}`;
    this.#asked.set(header.unique, op.name);
    if (op.replyRule !== 'never') this.unanswered.set(header.unique, request);
    return difference(encodeRequest(request, this.#negotiated), bytes, op.name);
  }

  #reply(bytes: Uint8Array): string | undefined {
    this.replies += 1;
    const unique = uniqueOf(bytes);
    const request = this.unanswered.get(unique);
    if (request === undefined)
      return `a reply to ${unique} (${this.#asked.get(unique) ?? 'never asked'}), which nobody waits for`;
    this.unanswered.delete(unique);
    const reply = decodeReply(bytes, request, this.#negotiated);
    if (reply.kind === 'decodeError') return `${request.name}: ${inWords(reply)}`;
    const changed = difference(
      encodeReply(reply, request, this.#negotiated),
      bytes,
      `reply to ${request.name}`,
    );
    if (reply.name === 'INIT' && reply.ok && request.name === 'INIT')
      this.#negotiated = negotiatedFrom(request.fields, reply.fields);
    return changed;
  }

  #notification(bytes: Uint8Array): string | undefined {
    this.notifications += 1;
    const notification = decodeNotification(bytes, this.#negotiated);
    if (notification.kind === 'decodeError') return inWords(notification);
    return difference(encodeNotification(notification, this.#negotiated), bytes, 'notification');
  }
}

const inWords = (error: DecodeError): string => JSON.stringify(error, text);

const difference = (encoded: Uint8Array, bytes: Uint8Array, what: string): string | undefined =>
  Buffer.compare(encoded, bytes) === 0 ? undefined : `${what} encodes to other bytes`;

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** Requests without a reply must be those that the trace says were in flight when the server ended. */
const notMarked = (trace: Trace, unanswered: Unanswered): string[] => {
  const marked = new Set(
    trace.incarnations.flatMap(({ end }) => end?.inFlight ?? []).map(({ unique }) => unique),
  );
  return [...unanswered.values()]
    .filter(({ op, header }) => op?.replyRule === 'always' && !marked.has(header.unique))
    .map(({ name, header }) => `${name} ${header.unique} has no reply and is not marked as in flight`);
};

/** Reads a trace of one incarnation from beginning to end. */
export const completenessOf = (path: string): Completeness => {
  const trace = openTrace(path);
  try {
    const follower = new Follower();
    for (const frame of trace.frames()) follower.see(frame);
    const problems = [
      ...follower.problems,
      ...notMarked(trace, follower.unanswered),
      ...trace.damage.map((damage) => `damage: ${JSON.stringify(damage, text)}`),
      ...(trace.hasIndex ? [] : ['no index']),
    ];
    const { requests, replies, notifications } = follower;
    return { requests, replies, notifications, problems };
  } finally {
    trace.close();
  }
};
