/** A frame as plain bytes with a list of its ids: for what the tables do not describe or cannot give back. */

import { opcodeOf } from '../../protocol/header.js';
import type { Operation } from '../../protocol/operations.js';
import type { Identified, Site } from './identified.js';
import type { Line } from './line.js';
import { type LoadPayload, parsePayload, payloadText, type StorePayload } from './payload.js';
import { parseReference, type Reference, referenceText } from './references.js';

/** In the list of ids: a place that refers to nothing. */
const NOTHING = '-';

/** `raw=… ids=[…]`, with an item for each place where an id may be. */
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
  const list = texts.length === 0 ? [] : [`ids=[${texts.join(' ')}]`];
  return [`raw=${payloadText(bytes, store)}`, ...list];
};

/** What was read: the bytes, and for each place what it refers to. */
export interface RawFrame {
  readonly bytes: Uint8Array;
  readonly references: readonly (Reference | undefined)[];
}

const parseItem = (text: string): { reference: Reference | undefined } | undefined => {
  const reference = parseReference(text);
  return text !== NOTHING && reference === undefined ? undefined : { reference };
};

/** Reads `raw=… ids=[…]`; `undefined` when something else comes next. */
export const parseRaw = (line: Line, load: LoadPayload): RawFrame | undefined => {
  if (line.atomIf((atom) => atom === 'raw') === undefined) return undefined;
  line.mark('=');
  const bytes = line.parsed('hex:…, zero:N, or file:NAME of a file that is there', (text) =>
    parsePayload(text, load),
  );
  const references: (Reference | undefined)[] = [];
  if (line.atomIf((atom) => atom === 'ids') !== undefined) {
    line.mark('=');
    line.mark('[');
    while (!line.takeIf(']')) references.push(line.parsed('%nN, %hN, @N or -', parseItem).reference);
  }
  return { bytes, references };
};

/** The ids of raw bytes. Ends with an error when there are not as many places as references. */
export const identifiedRaw = ({ references }: RawFrame, sites: readonly Site[], line: Line): Identified[] => {
  if (references.length !== sites.length)
    line.fail(`${sites.length} items in ids`, `${references.length} items`);
  return sites.flatMap((site, index) => {
    const reference = references[index];
    return reference === undefined ? [] : [{ ...site, reference }];
  });
};

/** Name of the operation, or for an unknown one its number. */
export const operationText = (op: Operation | undefined, request: Uint8Array): string =>
  op?.name ?? `opcode:${opcodeOf(request)}`;
