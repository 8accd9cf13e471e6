/**
 * Lets go of what a server handed out to requests of which nobody will use the ids: FORGET for nodes, RELEASE for handles, as
 * the `ids` column of the operation table says. It sends nothing itself.
 */

import { encodeRequest } from '../protocol/encode.js';
import { NODEID_AT } from '../protocol/header.js';
import { replyIdMap, visitIds } from '../protocol/id-sites.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Operation, OperationName } from '../protocol/operations.js';
import { u64At } from '../protocol/raw.js';

const DIRECTORY_OPENER: OperationName = 'OPENDIR';

/** Whether good replies to an operation hand out ids. */
export const handsOut = ({ ids }: Operation): boolean =>
  ids.some(
    ({ side, act, kind }) => side === 'reply' && act === 'create' && (kind === 'node' || kind === 'handle'),
  );

/** The requests that give everything back which a good reply handed out; their uniques are 0. */
export const givenBack = (
  op: Operation,
  { request, reply }: { readonly request: Uint8Array; readonly reply: Uint8Array },
  session: Negotiated,
): Uint8Array[] => {
  const nodes: bigint[] = [];
  const handles: bigint[] = [];
  visitIds(replyIdMap(op, session), reply, ({ kind }, at) => {
    if (kind === 'node') nodes.push(u64At(reply, at));
    else if (kind === 'handle') handles.push(u64At(reply, at));
  });
  const opened = nodes[0] ?? u64At(request, NODEID_AT);
  const close = op.name === DIRECTORY_OPENER ? 'RELEASEDIR' : 'RELEASE';
  return [
    ...handles.map((fh) =>
      encodeRequest({ name: close, header: { unique: 0n, nodeid: opened }, fields: { fh } }, session),
    ),
    ...nodes.map((nodeid) =>
      encodeRequest({ name: 'FORGET', header: { unique: 0n, nodeid }, fields: { nlookup: 1n } }, session),
    ),
  ];
};
