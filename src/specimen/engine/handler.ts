/** The shape of operation handlers, and the lookups that most of them begin with. */

import type { FileHandle } from '../../base/ids.js';
import type { InHeader } from '../../protocol/decode.js';
import type { Draft } from '../../protocol/encode.js';
import type { OperationName, ReplyFields, RequestFields } from '../../protocol/operations.js';
import type { Handle } from '../handles/handles.js';
import type { Inode } from '../store/inode.js';
import { isRefusal, type Refusal } from '../store/refusal.js';
import type { Directory } from '../store/store.js';
import { directoryOf, handleOf, nodeOf, type Server } from './server.js';

/** A request on its way through the server. */
export interface Call<N extends OperationName> {
  readonly server: Server;
  readonly header: InHeader;
  readonly fields: RequestFields<N>;
}

/** An error, the fields of a good reply, or that no reply is sent (now). */
export type Answer<N extends OperationName> = Refusal | Draft<ReplyFields<N>> | 'silent';

/** Answers the requests of one operation. */
export type Handler<N extends OperationName> = (call: Call<N>) => Answer<N>;

/** One handler an operation; a planted bug replaces one of them. */
export type Handlers = { readonly [N in OperationName]: Handler<N> };

/** The good reply of an operation whose reply has no body. */
export const done: Record<never, never> = {};

/** A handler that begins with the node of the request's header. */
export const onNode =
  <N extends OperationName>(handler: (call: Call<N>, inode: Inode) => Answer<N>): Handler<N> =>
  (call) => {
    const inode = nodeOf(call.server, call.header.nodeid);
    return isRefusal(inode) ? inode : handler(call, inode);
  };

/** A handler that begins with the directory of the request's header. */
export const onDirectory =
  <N extends OperationName>(handler: (call: Call<N>, directory: Directory) => Answer<N>): Handler<N> =>
  (call) => {
    const directory = directoryOf(call.server, call.header.nodeid);
    return isRefusal(directory) ? directory : handler(call, directory);
  };

/** Operations whose request names an open file in `fh`. */
type WithHandle = {
  [N in OperationName]: RequestFields<N> extends { readonly fh: FileHandle } ? N : never;
}[OperationName];

/** A handler that begins with the open file of the request. */
export const onHandle =
  <N extends WithHandle>(handler: (call: Call<N>, handle: Handle) => Answer<N>): Handler<N> =>
  (call) => {
    const { fh } = call.fields;
    const handle = handleOf(call.server, fh, call.header.nodeid);
    return isRefusal(handle) ? handle : handler(call, handle);
  };
