/**
 * How ids are written in a plan's text: `%n12` a node, `%h3` a handle, `@7` the request of step 7. While a frame is taken
 * apart or put together each stands for itself as a number that no server gives, so that its place in the bytes is known.
 */

import type { PlanSymbol } from '../plan.js';

/** What an id field can refer to. */
export type Reference =
  | { readonly kind: 'node' | 'handle'; readonly symbol: number }
  /** `undefined`: a request from before the recording. */
  | { readonly kind: 'step'; readonly step: number | undefined };

/** Numbers from here on stand for references. */
const FIRST_MARKER = 0xfe1d_c0de_0000_0000n;

/** The number that stands for the nth reference of a frame. */
export const markerOf = (index: number): bigint => FIRST_MARKER + BigInt(index);

/** Which reference a number stands for; `undefined` for any other number. */
export const indexOfMarker = (value: bigint, count: number): number | undefined => {
  const index = value - FIRST_MARKER;
  return index >= 0n && index < BigInt(count) ? Number(index) : undefined;
};

/** A symbol's name in the text. */
export const symbolText = ({ kind, id }: Pick<PlanSymbol, 'kind' | 'id'>): string =>
  `%${kind === 'node' ? 'n' : 'h'}${id}`;

/** A reference as it is written. */
export const referenceText = (reference: Reference): string =>
  reference.kind === 'step'
    ? `@${reference.step ?? '?'}`
    : symbolText({ kind: reference.kind, id: reference.symbol });

const REFERENCE = /^(?:%([nh])(\d{1,10})|@(\d{1,10}|\?))$/;

/** The inverse of `referenceText`; `undefined` when it is none. */
export const parseReference = (text: string): Reference | undefined => {
  const [whole, letter, symbol, step] = REFERENCE.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (letter === undefined) return { kind: 'step', step: step === '?' ? undefined : Number(step) };
  return { kind: letter === 'n' ? 'node' : 'handle', symbol: Number(symbol) };
};

/** The references of one frame while it is read. */
export class References {
  readonly list: Reference[] = [];

  /** The number that stands for a reference from now on; `undefined` when the text is none. */
  readonly marker = (text: string): bigint | undefined => {
    const reference = parseReference(text);
    return reference && markerOf(this.list.push(reference) - 1);
  };
}
