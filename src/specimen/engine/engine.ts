/**
 * From the bytes of a request to the bytes of what the server says to it. No descriptor, no clock of its own and no waiting:
 * a conversation can be played to it in a test.
 */

import { Errno } from '../../base/errno.js';
import { type DecodedRequest, decodeRequest, type Request } from '../../protocol/decode.js';
import { encodeError, encodeNotification, encodeReply } from '../../protocol/encode.js';
import { holdsRequest, opcodeOf, uniqueOf } from '../../protocol/header.js';
import { newestNegotiated } from '../../protocol/negotiated.js';
import { type OperationName, operationOf } from '../../protocol/operations.js';
import type { Handles } from '../handles/handles.js';
import type { NodeIds } from '../ids/node-ids.js';
import type { Answered } from '../store/change.js';
import type { Time } from '../store/inode.js';
import type { Journal } from '../store/journal.js';
import { isRefusal } from '../store/refusal.js';
import type { Store } from '../store/store.js';
import type { Answer, Handlers } from './handler.js';
import { Locks } from './locks.js';
import { Answers, answeredOf, isMaking, remade, repeated } from './resend.js';
import type { Manner, Server } from './server.js';

/** What an engine is made of. */
export interface EngineParts {
  readonly handlers: Handlers;
  readonly store: Store;
  readonly nodes: NodeIds;
  readonly handles: Handles;
  readonly manner: Manner;
  readonly now: () => Time;
  /** Makes what the request changed last, before anything is answered. */
  readonly journal: Pick<Journal, 'answered' | 'commit'>;
  readonly die: (message: string) => never;
}

/** One incarnation of a server. */
export interface Engine {
  /** Messages to send, in order: the reply if there is one now, replies to requests that waited, notifications. */
  handle(request: Uint8Array): readonly Uint8Array[];
}

/** A new incarnation. */
export const makeEngine = (parts: EngineParts): Engine => {
  const outbox: Uint8Array[] = [];
  const server = makeServer(parts, outbox);
  const answers = parts.manner.resent === 'recall' ? new Answers(parts.journal.answered) : undefined;
  const finish = (bytes: Uint8Array, reply: Uint8Array | undefined): void => {
    const answer = answers && reply && answeredOf(bytes, reply);
    if (parts.journal.commit(answer) && answer) answers?.remember(answer);
  };
  return {
    handle: (bytes) => {
      outbox.length = 0;
      const reply = respond(parts.handlers, server, bytes, answers?.recall(bytes));
      for (const unique of server.locks.grant()) server.answerLater(unique, 0);
      finish(bytes, reply);
      return reply === undefined ? [...outbox] : [reply, ...outbox];
    },
  };
};

const makeServer = (parts: EngineParts, outbox: Uint8Array[]): Server => {
  const { manner, store, nodes, handles, now, die } = parts;
  const server: Server = {
    manner,
    store,
    nodes,
    handles,
    now,
    die,
    locks: new Locks(),
    polls: [],
    negotiated: undefined,
    answerLater: (unique, errno) => outbox.push(encodeError(unique, -errno)),
    notify: (name, fields) => outbox.push(encodeNotification({ name, fields }, server.negotiated)),
  };
  return server;
};

const respond = (
  handlers: Handlers,
  server: Server,
  bytes: Uint8Array,
  before: Answered | undefined,
): Uint8Array | undefined => {
  const request = decodeRequest(bytes, server.negotiated ?? newestNegotiated);
  if (request.kind === 'decodeError') return refuseGarbage(bytes);
  if (request.name === undefined) return encodeError(request.header.unique, -Errno.ENOSYS);
  if (server.negotiated === undefined && request.name !== 'INIT') return refuseEarly(request);
  if (before !== undefined)
    return isMaking(request)
      ? encoded(server, request, remade(handlers, server, request))
      : repeated(before.reply, request.header.unique);
  return encoded(server, request, answer(handlers, server, request));
};

/** A request that does not decode is refused if its sender waits for a reply. */
const refuseGarbage = (bytes: Uint8Array): Uint8Array | undefined =>
  holdsRequest(bytes) && operationOf(opcodeOf(bytes))?.replyRule !== 'never'
    ? encodeError(uniqueOf(bytes), -Errno.EINVAL)
    : undefined;

/** Before INIT nothing else is served (libfuse answers EIO). */
const refuseEarly = ({ op, header }: DecodedRequest): Uint8Array | undefined =>
  op?.replyRule === 'always' ? encodeError(header.unique, -Errno.EIO) : undefined;

const answer = <N extends OperationName>(
  handlers: Handlers,
  server: Server,
  request: Request<N>,
): Answer<N> => handlers[request.name]({ server, header: request.header, fields: request.fields });

const encoded = <N extends OperationName>(
  server: Server,
  request: Request<N>,
  answered: Answer<N>,
): Uint8Array | undefined => {
  const { unique } = request.header;
  if (answered === 'silent') return undefined;
  if (isRefusal(answered)) return encodeError(unique, -answered.errno);
  const negotiated = server.negotiated ?? newestNegotiated;
  return encodeReply({ name: request.name, header: { unique }, fields: answered }, request, negotiated);
};
