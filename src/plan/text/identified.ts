/** A frame whose ids were taken out, and putting others in: what stands between bytes and text. */

import { type IdVisitor, replyIdMap, requestIdMap, visitIds } from '../../protocol/id-sites.js';
import { node as headerNode, uses } from '../../protocol/id-uses.js';
import type { Negotiated } from '../../protocol/negotiated.js';
import type { IdUse } from '../../protocol/operation.js';
import type { Operation } from '../../protocol/operations.js';
import { putU64At, u64At } from '../../protocol/raw.js';
import type { Mint, Patch } from '../plan.js';
import { isOwnUnique } from '../repeat.js';
import type { Line } from './line.js';
import { indexOfMarker, markerOf, type Reference, referenceText, type SymbolKind } from './references.js';

/** An id of a frame, what it refers to, and where it is. */
export interface Identified {
  readonly offset: number;
  readonly use: IdUse;
  readonly reference: Reference;
}

/** A place in a frame where an id may be. */
export type Site = Pick<Identified, 'offset' | 'use'>;

/** What a symbol is written as. */
export type KindOf = (symbol: number) => SymbolKind;

const UNIQUE_AT = 8;
const NODEID_AT = 16;

const collect = (visitAll: (visit: IdVisitor) => void): Site[] => {
  const sites: Site[] = [];
  visitAll((use, offset) => sites.push({ use, offset }));
  // The frame's own unique is told apart from what it is about.
  return sites.filter(
    ({ use: { kind }, offset }) =>
      (kind === 'node' || kind === 'handle' || kind === 'unique') && offset !== UNIQUE_AT,
  );
};

/** How a reference is used in a place that holds no id by the tables. */
export const useElsewhere = ({ kind }: Reference): IdUse => {
  if (kind === 'step') return uses('unique', '');
  return uses(kind === 'handle' ? 'handle' : 'node', '');
};

/** Places of a request, in the order of the operation table; of an unknown operation only the header's node. */
export const requestSites = (op: Operation | undefined, bytes: Uint8Array, session: Negotiated): Site[] => {
  if (op !== undefined) return collect((visit) => visitIds(requestIdMap(op, session), bytes, visit));
  return u64At(bytes, NODEID_AT) === 0n ? [] : [{ use: headerNode, offset: NODEID_AT }];
};

/** Places of a reply. */
export const replySites = (op: Operation | undefined, bytes: Uint8Array, session: Negotiated): Site[] =>
  op === undefined ? [] : collect((visit) => visitIds(replyIdMap(op, session), bytes, visit));

/** The ids of a step's request, but for the unique that it has. */
export const ofPatches = (patches: readonly Patch[], kindOf: KindOf): Identified[] =>
  patches
    .filter((patch) => patch.kind === 'symbol' || !isOwnUnique(patch))
    .map((patch) => {
      const { offset, use } = patch;
      if (patch.kind === 'step') return { offset, use, reference: { kind: 'step', step: patch.step } };
      const { symbol, shift } = patch;
      const reference = { kind: kindOf(symbol), symbol, ...(shift === undefined ? {} : { shift }) };
      return { offset, use, reference };
    });

/** The ids of a step's reply. */
export const ofMints = (mints: readonly Mint[], kindOf: KindOf): Identified[] =>
  ofPatches(
    mints.map(({ offset, use, symbol }) => ({ kind: 'symbol', offset, use, symbol })),
    kindOf,
  );

/** The frame with a marker in the place of each id. */
export const marked = (bytes: Uint8Array, ids: readonly Identified[]): Uint8Array => {
  const copy = new Uint8Array(bytes);
  for (const [index, { offset }] of ids.entries()) putU64At(copy, offset, markerOf(index));
  return copy;
};

/** Finds the places of markers. Ends with an error when a reference stands where the frame has nothing. */
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
  const strays = references.flatMap((reference, index) =>
    ids.some((id) => id.reference === reference) ? [] : [stray(bytes, reference, index, line)],
  );
  return [...ids, ...strays];
};

/** A reference in a field that holds no id by the tables, or of which a flag says so. */
const stray = (bytes: Uint8Array, reference: Reference, index: number, line: Line): Identified => {
  const marker = new Uint8Array(8);
  putU64At(marker, 0, markerOf(index));
  const offset = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(marker);
  if (offset < 0) line.fail('references only in fields that the message has here', referenceText(reference));
  return { offset, use: useElsewhere(reference), reference };
};
