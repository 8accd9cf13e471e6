/** A frame as plain bytes with a list of its ids: for what the tables do not describe or cannot give back. */

import { opcodeOf } from '../../protocol/header.js';
import type { Operation } from '../../protocol/operations.js';
import type { Identified, Places, Site } from './identified.js';
import type { Line } from './line.js';
import { type LoadPayload, parsePayload, payloadText, type StorePayload } from './payload.js';
import { parseReference, type Reference, referenceText } from './references.js';

/** In the list of ids: a place that refers to nothing. */
const NOTHING = '-';

/** `raw=… ids=[…]`, with an item for each place where an id may be, and `OFFSET:ID` for ids in other places. */
export const rawWords = (
  bytes: Uint8Array,
  ids: readonly Identified[],
  sites: readonly Site[],
  store: StorePayload,
): string[] => {
  const texts = sites.map(({ offset }) => {
    const id = ids.find((one) => one.offset === offset);
    return id === undefined ? NOTHING : referenceText(id.reference);
  });
  const others = ids
    .filter(({ offset }) => !sites.some((site) => site.offset === offset))
    .map(({ offset, reference }) => `${offset}:${referenceText(reference)}`);
  const items = [...texts, ...others];
  const list = items.length === 0 ? [] : [`ids=[${items.join(' ')}]`];
  return [`raw=${payloadText(bytes, store)}`, ...list];
};

/** An item of the list of ids. */
interface Item {
  readonly reference: Reference | undefined;
  /** Absent for the next place where an id may be. */
  readonly offset?: number;
}

/** What was read: the bytes and the list of ids. */
export interface RawFrame {
  readonly bytes: Uint8Array;
  readonly items: readonly Item[];
}

const ITEM = /^(?:(\d{1,8}):)?(.+)$/;

const parseItem = (text: string): Item | undefined => {
  if (text === NOTHING) return { reference: undefined };
  const [, offset, id = ''] = ITEM.exec(text) ?? [];
  const reference = parseReference(id);
  if (reference === undefined) return undefined;
  return { reference, ...(offset === undefined ? {} : { offset: Number(offset) }) };
};

/** Reads `raw=… ids=[…]`; `undefined` when something else comes next. */
export const parseRaw = (line: Line, load: LoadPayload): RawFrame | undefined => {
  if (line.atomIf((atom) => atom === 'raw') === undefined) return undefined;
  line.mark('=');
  const bytes = line.parsed('hex:…, zero:N, or file:NAME of a file that is there', (text) =>
    parsePayload(text, load),
  );
  const items: Item[] = [];
  if (line.atomIf((atom) => atom === 'ids') !== undefined) {
    line.mark('=');
    line.mark('[');
    while (!line.takeIf(']'))
      items.push(line.parsed('%nN, %hN, %mN, @N, any of them as OFFSET:…, or -', parseItem));
  }
  return { bytes, items };
};

/** The ids of raw bytes. Ends with an error when there are not as many places as references. */
export const identifiedRaw = (
  { bytes, items }: RawFrame,
  { sites, useAt }: Places,
  line: Line,
): Identified[] => {
  const inSites = items.filter(({ offset }) => offset === undefined);
  if (inSites.length !== sites.length)
    line.fail(`${sites.length} items in ids that have no offset`, `${inSites.length} items`);
  const ids = sites.flatMap((site, index) => {
    const reference = inSites[index]?.reference;
    return reference === undefined ? [] : [{ ...site, reference }];
  });
  const others = items.flatMap(({ offset, reference }) => {
    if (offset === undefined || reference === undefined) return [];
    if (offset >= bytes.length) line.fail(`an offset below ${bytes.length} in ids`, `${offset}`);
    return [{ offset, use: useAt(offset, reference), reference }];
  });
  return [...ids, ...others];
};

/** Name of the operation, or for an unknown one its number. */
export const operationText = (op: Operation | undefined, request: Uint8Array): string =>
  op?.name ?? `opcode:${opcodeOf(request)}`;
