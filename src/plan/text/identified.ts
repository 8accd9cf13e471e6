/** A frame whose ids were taken out, and putting others in: what stands between bytes and text. */

import { type IdVisitor, replyIdMap, requestIdMap, visitIds } from '../../protocol/id-sites.js';
import { node as headerNode } from '../../protocol/id-uses.js';
import type { Negotiated } from '../../protocol/negotiated.js';
import type { IdUse } from '../../protocol/operation.js';
import type { Operation } from '../../protocol/operations.js';
import { putU64At, u64At } from '../../protocol/raw.js';
import type { Mint, Patch } from '../plan.js';
import type { Line } from './line.js';
import { indexOfMarker, markerOf, type Reference, referenceText } from './references.js';

/** An id of a frame, what it refers to, and where it is. */
export interface Identified {
  readonly offset: number;
  readonly use: IdUse;
  readonly reference: Reference;
}

/** A place in a frame where an id may be. */
export type Site = Pick<Identified, 'offset' | 'use'>;

const NODEID_AT = 16;

const collect = (visitAll: (visit: IdVisitor) => void): Site[] => {
  const sites: Site[] = [];
  visitAll((use, offset) => sites.push({ use, offset }));
  return sites.filter(({ use }) => use.kind === 'node' || use.kind === 'handle' || use.kind === 'unique');
};

/** Places of a request, in the order of the operation table; of an unknown operation only the header's node. */
export const requestSites = (op: Operation | undefined, bytes: Uint8Array, session: Negotiated): Site[] => {
  if (op !== undefined) return collect((visit) => visitIds(requestIdMap(op, session), bytes, visit));
  return u64At(bytes, NODEID_AT) === 0n ? [] : [{ use: headerNode, offset: NODEID_AT }];
};

/** Places of a reply. */
export const replySites = (op: Operation | undefined, bytes: Uint8Array, session: Negotiated): Site[] =>
  op === undefined ? [] : collect((visit) => visitIds(replyIdMap(op, session), bytes, visit));

/** The ids of a step's request. */
export const ofPatches = (patches: readonly Patch[]): Identified[] =>
  patches.map((patch) => {
    const { offset, use } = patch;
    if (patch.kind === 'step') return { offset, use, reference: { kind: 'step', step: patch.step } };
    const kind = use.kind === 'handle' ? 'handle' : 'node';
    return { offset, use, reference: { kind, symbol: patch.symbol } };
  });

/** The ids of a step's reply. */
export const ofMints = (mints: readonly Mint[]): Identified[] =>
  ofPatches(mints.map((mint) => ({ ...mint, kind: 'symbol' })));

/** The frame with a marker in the place of each id. */
export const marked = (bytes: Uint8Array, ids: readonly Identified[]): Uint8Array => {
  const copy = new Uint8Array(bytes);
  for (const [index, { offset }] of ids.entries()) putU64At(copy, offset, markerOf(index));
  return copy;
};

/** Finds the places of markers. Ends with an error when a reference stands where no id is. */
export const located = (
  bytes: Uint8Array,
  sites: readonly Site[],
  references: readonly Reference[],
  line: Line,
): Identified[] => {
  const ids = sites.flatMap((site) => {
    const index = indexOfMarker(u64At(bytes, site.offset), references.length);
    const reference = index === undefined ? undefined : references[index];
    return reference === undefined ? [] : [{ ...site, reference }];
  });
  const stray = references.find((reference) => !ids.some((id) => id.reference === reference));
  if (stray !== undefined) line.fail('references only in fields that hold an id here', referenceText(stray));
  return ids;
};
