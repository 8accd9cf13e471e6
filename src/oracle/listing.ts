/**
 * Directories that are read in pieces: a server that keeps another order cuts the pieces elsewhere, so a disagreement is
 * held back until both sides have shown the same names or the reading ended.
 */

import { type DecodedReply, decodeReply, decodeRequest } from '../protocol/decode.js';
import { differences } from '../protocol/differences.js';
import { errorOf } from '../protocol/header.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { replyContext } from '../protocol/reply-context.js';
import type { Divergence, Exchange } from './compare.js';
import { valueText } from './text.js';

type Directory = Extract<DecodedReply, { name: 'READDIR' | 'READDIRPLUS' }>;
type Entry = Directory['fields']['entries'][number];

interface Pending {
  /** As it stood when the pieces began to differ. */
  readonly first: Divergence;
  readonly shape: Directory;
  readonly recorded: Map<string, Entry>;
  readonly live: Map<string, Entry>;
}

/** A live reply, what `compareReply` found in it, and the session. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly found: Divergence | undefined;
  readonly negotiated: Negotiated;
}

const begin = (first: Divergence | undefined, shape: Directory): Pending | undefined =>
  first && { first, shape, recorded: new Map(), live: new Map() };

const directoryIn = (
  bytes: Uint8Array | undefined,
  { template }: Exchange,
  negotiated: Negotiated,
): Directory | undefined => {
  if (bytes === undefined || errorOf(bytes) !== 0) return undefined;
  const reply = decodeReply(bytes, replyContext(template, negotiated), negotiated, { cut: true });
  if (reply.kind !== 'reply' || !reply.ok) return undefined;
  return reply.name === 'READDIR' || reply.name === 'READDIRPLUS' ? reply : undefined;
};

const startsOver = ({ template }: Exchange, negotiated: Negotiated): boolean => {
  const request = decodeRequest(template, negotiated, { cut: true });
  return request.kind === 'request' && 'offset' in request.fields && request.fields.offset === 0n;
};

const together = (shape: Directory, entries: ReadonlyMap<string, Entry>): DecodedReply =>
  // The union of both record types is wider than either.
  ({ ...shape, fields: { entries: [...entries.values()] } }) as DecodedReply;

const verdictOf = ({ first, shape, recorded, live }: Pending): Divergence | undefined => {
  const [difference] = differences(together(shape, recorded), together(shape, live));
  if (difference === undefined) return undefined;
  const { path, recorded: expected, live: actual } = difference;
  return {
    ...first,
    field: path,
    expected: valueText(expected, { path, beside: actual }),
    actual: valueText(actual, { path, beside: expected }),
  };
};

/** What is held back of all directories that are being read, by the number of their handle in the plan. */
export class Listings {
  readonly #pending = new Map<number, Pending>();

  /** True when nothing is held back. */
  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /**
   * Takes what `compareReply` found in a directory's reply and says what is left of it: `undefined` while the rest of the
   * directory may still put it right. Cheap for what agreed.
   */
  settle(handle: number, exchange: Exchange, live: Piece): Divergence | undefined {
    const { bytes, found, negotiated } = live;
    const known = this.#pending.get(handle);
    if (known === undefined && found === undefined) return undefined;
    const recorded = directoryIn(exchange.reply, exchange, negotiated);
    const actual = directoryIn(bytes, exchange, negotiated);
    if (recorded === undefined || actual === undefined) return found ?? this.end(handle);
    if (known !== undefined && startsOver(exchange, negotiated))
      return this.end(handle) ?? this.settle(handle, exchange, live);
    const pending = known ?? begin(found, recorded);
    return pending && this.#add(handle, pending, [recorded, actual]);
  }

  #add(handle: number, pending: Pending, [recorded, live]: [Directory, Directory]): Divergence | undefined {
    this.#pending.set(handle, pending);
    for (const entry of recorded.fields.entries) pending.recorded.set(entry.name, entry);
    for (const entry of live.fields.entries) pending.live.set(entry.name, entry);
    if (recorded.fields.entries.length === 0) return this.end(handle);
    if (pending.recorded.size === pending.live.size && verdictOf(pending) === undefined)
      this.#pending.delete(handle);
    return undefined;
  }

  /** The reading ended (its handle was released, or the run is over): what still differs, if anything. */
  end(handle: number): Divergence | undefined {
    const pending = this.#pending.get(handle);
    this.#pending.delete(handle);
    return pending && verdictOf(pending);
  }

  /** Ends all readings. */
  endAll(): Divergence[] {
    return [...this.#pending.keys()].flatMap((handle) => this.end(handle) ?? []);
  }
}
