/** A frame whose ids were taken out, and putting others in: what stands between bytes and text. */

import { NODEID_AT, UNIQUE_AT } from '../../protocol/header.js';
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

const collect = (visitAll: (visit: IdVisitor) => void): Site[] => {
  const sites: Site[] = [];
  visitAll((use, offset) => sites.push({ use, offset }));
  // The frame's own unique is told apart from what it is about.
  return sites.filter(
    ({ use: { kind }, offset }) =>
      (kind === 'node' || kind === 'handle' || kind === 'unique') && offset !== UNIQUE_AT,
  );
};

/** The places of a frame. */
export interface Places {
  /** Those where an id is by the tables. */
  readonly sites: readonly Site[];
  /** How a reference is used at any other offset. */
  readonly useAt: (offset: number, reference: Reference) => IdUse;
}

const useElsewhere = ({ kind }: Reference): IdUse => {
  if (kind === 'step') return uses('unique', '');
  return uses(kind === 'handle' ? 'handle' : 'node', '');
};

/** Places of a request, in the order of the operation table; of an unknown operation only the header's node. */
export const requestPlaces = (op: Operation | undefined, bytes: Uint8Array, session: Negotiated): Places => {
  if (op === undefined) {
    const sites = u64At(bytes, NODEID_AT) === 0n ? [] : [{ use: headerNode, offset: NODEID_AT }];
    return { sites, useAt: (_offset, reference) => useElsewhere(reference) };
  }
  const map = requestIdMap(op, session);
  return {
    sites: collect((visit) => visitIds(map, bytes, visit)),
    // A flag may say that there is no id in a field that otherwise holds one.
    useAt: (offset, reference) => map.places.find(({ at }) => at === offset)?.use ?? useElsewhere(reference),
  };
};

/** Places of a reply. */
export const replyPlaces = (op: Operation | undefined, bytes: Uint8Array, session: Negotiated): Places => ({
  sites: op === undefined ? [] : collect((visit) => visitIds(replyIdMap(op, session), bytes, visit)),
  useAt: (_offset, reference) => useElsewhere(reference),
});

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
  { sites, useAt }: Places,
  references: readonly Reference[],
  line: Line,
): Identified[] => {
  const ids = sites.flatMap((site) => {
    const index = indexOfMarker(u64At(bytes, site.offset), references.length);
    const reference = index === undefined ? undefined : references[index];
    return reference === undefined ? [] : [{ ...site, reference }];
  });
  const strays = references.flatMap((reference, index) => {
    if (ids.some((id) => id.reference === reference)) return [];
    const offset = offsetOf(bytes, markerOf(index));
    if (offset < 0)
      line.fail('references only in fields that the message has here', referenceText(reference));
    return [{ offset, use: useAt(offset, reference), reference }];
  });
  return [...ids, ...strays];
};

const offsetOf = (bytes: Uint8Array, number: bigint): number => {
  const wanted = new Uint8Array(8);
  putU64At(wanted, 0, number);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(wanted);
};
