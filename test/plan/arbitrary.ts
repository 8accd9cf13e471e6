/** Arbitrary conversations over all operations, with few different ids, so that the same ones come back. */

import fc from 'fast-check';
import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { type IdMap, idSites, replyIdMap, requestIdMap } from '#relight/protocol/id-sites.js';
import type { Fields } from '#relight/protocol/layout.js';
import type { Negotiated } from '#relight/protocol/negotiated.js';
import { type Operation, operations } from '#relight/protocol/operations.js';
import { bodyOf, requestOf, sessions } from '../protocol/arbitrary.js';
import { Conversation } from './conversation.js';

const FEW = 5n;

/** Brings every nodeid and fh of a frame down to a few values. */
const withFewIds = (map: IdMap, bytes: Uint8Array): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { use, offset, value, count } of idSites(map, bytes)) {
    if (use.kind === 'node' || use.kind === 'handle') view.setBigUint64(offset, (value % FEW) + 1n, true);
    if (count !== undefined && use.part === 'header') view.setBigUint64(40, count % 3n, true);
  }
  return bytes;
};

interface Exchange {
  readonly op: Operation;
  readonly nodeid: bigint;
  readonly request: Fields;
  readonly reply: Fields | number | undefined;
  /** Whether it is answered only when all others have been sent. */
  readonly late: boolean;
}

/** Directories have no name twice. */
const distinct = (fields: Fields): Fields => {
  if (!Array.isArray(fields.entries)) return fields;
  const byName = new Map((fields.entries as Fields[]).map((entry) => [entry.name, entry]));
  return { ...fields, entries: [...byName.values()] };
};

const replyOf = (op: Operation, session: Negotiated, request: Fields): fc.Arbitrary<Exchange['reply']> => {
  if (op.reply === undefined) return fc.constant(undefined);
  const good = bodyOf(op.reply, session, request).map(distinct);
  return fc.oneof(
    { weight: 5, arbitrary: good },
    { weight: 1, arbitrary: fc.constantFrom(-2, -5, undefined) },
  );
};

const exchangeOf = (session: Negotiated): fc.Arbitrary<Exchange> =>
  fc
    .constantFrom(...operations.filter(({ name }) => !['INIT', 'CUSE_INIT', 'NOTIFY_REPLY'].includes(name)))
    .chain((op) =>
      requestOf(op, session).chain((request) =>
        fc.record({
          op: fc.constant(op),
          nodeid: fc.bigInt({ min: 1n, max: FEW }),
          request: fc.constant(request),
          reply: replyOf(op, session, request),
          late: fc.boolean(),
        }),
      ),
    );

const replyBytes = (talk: Conversation, exchange: Exchange, unique: bigint): Uint8Array | undefined => {
  const { op, reply, request } = exchange;
  if (reply === undefined) return undefined;
  const { session } = talk;
  const error = typeof reply === 'number' ? reply : 0;
  const fields = typeof reply === 'number' ? {} : reply;
  const draft = { name: op.name, header: { unique, error }, fields };
  return withFewIds(replyIdMap(op, session), encodeReply(draft, { fields: request }, session));
};

const play = (session: Negotiated, exchanges: readonly Exchange[]): Conversation => {
  const talk = new Conversation(session);
  const late: Uint8Array[] = [];
  for (const exchange of exchanges) {
    const { op, nodeid, request } = exchange;
    const unique = talk.nextUnique();
    const draft = { name: op.name, header: { unique, nodeid }, fields: request };
    talk.put('toServer', withFewIds(requestIdMap(op, session), encodeRequest(draft, session)));
    const reply = replyBytes(talk, exchange, unique);
    if (reply !== undefined && exchange.late) late.push(reply);
    else if (reply !== undefined) talk.put('toKernel', reply);
  }
  for (const reply of late) talk.put('toKernel', reply);
  return talk;
};

/** A conversation of up to 40 exchanges under any session. Lifting it needs the session, which no INIT tells. */
export const conversation: fc.Arbitrary<Conversation> = fc
  .constantFrom(...sessions)
  .chain((session) => fc.array(exchangeOf(session), { maxLength: 40 }).map((all) => play(session, all)));
