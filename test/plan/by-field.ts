/** Ids of a request made by hand, and of the reply that it will get, told by the names of their fields. */

import type { Mint, SymbolPatch } from '#relight/plan/plan.js';
import { idSites, requestIdMap } from '#relight/protocol/id-sites.js';
import type { Negotiated } from '#relight/protocol/negotiated.js';
import type { Operation } from '#relight/protocol/operations.js';

/** Symbols by field of a request or reply: `{ nodeid: 3, fh: 4 }`. */
export type SymbolsByField = Readonly<Record<string, number>>;

/**
 * Patches for the fields of a request that name a node or a handle; `nodeid` is the header's. Fields that the request does
 * not have, or in which a flag says that there is no id, get none. In a list every item gets the same symbol.
 */
export const patchesByField = (
  op: Operation,
  request: Uint8Array,
  session: Negotiated,
  symbols: SymbolsByField,
): SymbolPatch[] =>
  idSites(requestIdMap(op, session), request).flatMap(({ use, offset }) => {
    const symbol = use.kind === 'node' || use.kind === 'handle' ? symbols[use.field] : undefined;
    return symbol === undefined ? [] : [{ kind: 'symbol', offset, use, symbol }];
  });

/** What a good reply mints: `nodeid`, `fh`, or both. */
export const mintsByField = (op: Operation, symbols: SymbolsByField): Mint[] =>
  op.ids.flatMap((use) => {
    const symbol = use.side === 'reply' && use.each === undefined ? symbols[use.field] : undefined;
    return symbol === undefined ? [] : [{ offset: 0, use, symbol }];
  });

/** What a good directory listing mints, by the names of the records. */
export const mintsByName = (op: Operation, symbols: SymbolsByField): Mint[] =>
  op.ids
    .filter(({ side, kind, each }) => side === 'reply' && kind === 'node' && each !== undefined)
    .flatMap((use) => Object.entries(symbols).map(([name, symbol]) => ({ offset: 0, use, symbol, name })));
