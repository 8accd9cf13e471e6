/**
 * How ids are written in a plan's text: `%n12` a node, `%h3` a handle, `%m4` an address in a server's memory, `@7` the
 * request of step 7; `%n12-8` and `%n12^0x10` are numbers made from that of a symbol. While a frame is taken apart or put
 * together each stands for itself as a number that no server gives, so that its place in the bytes is known.
 */

import type { PlanSymbol, Shift } from '../plan.js';
import { bigText, parseBig } from './numbers.js';

/** What a symbol is written as. */
export type SymbolKind = 'node' | 'handle' | 'memory';

/** What an id field can refer to. */
export type Reference =
  | { readonly kind: SymbolKind; readonly symbol: number; readonly shift?: Shift }
  /** `undefined`: a request from before the recording. */
  | { readonly kind: 'step'; readonly step: number | undefined };

/** Numbers from here on stand for references. */
const FIRST_MARKER = 0xfe1d_c0de_0000_0000n;

/** The number that stands for the nth reference of a frame. */
export const markerOf = (index: number): bigint => FIRST_MARKER + BigInt(index);

/** Which reference a number stands for; `undefined` for any other number. */
export const indexOfMarker = (value: bigint, count: number): number | undefined => {
  const index = BigInt.asUintN(64, value) - FIRST_MARKER;
  return index >= 0n && index < BigInt(count) ? Number(index) : undefined;
};

const letters: Readonly<Record<SymbolKind, string>> = { node: 'n', handle: 'h', memory: 'm' };

/** What a symbol is written as. */
export const kindOfSymbol = ({ kind, origin }: Pick<PlanSymbol, 'kind' | 'origin'>): SymbolKind =>
  origin === 'memory' ? 'memory' : kind;

/** A symbol's name in the text; with '' as its number what it begins with. */
export const symbolText = (kind: SymbolKind, symbol: number | ''): string => `%${letters[kind]}${symbol}`;

const HALF = 1n << 63n;

const shiftText = ({ add, flip }: Shift): string => {
  const sum = add < HALF ? `+${bigText(add)}` : `-${bigText((1n << 64n) - add)}`;
  return `${add === 0n ? '' : sum}${flip === 0n ? '' : `^0x${flip.toString(16)}`}`;
};

/** A reference as it is written. */
export const referenceText = (reference: Reference): string => {
  if (reference.kind === 'step') return `@${reference.step ?? '?'}`;
  const { kind, symbol, shift } = reference;
  return `${symbolText(kind, symbol)}${shift === undefined ? '' : shiftText(shift)}`;
};

const REFERENCE = /^(?:%([nhm])(\d{1,10})(?:([+-])(\w+))?(?:\^(\w+))?|@(\d{1,10}|\?))$/;

const parseShift = (sign = '+', add = '0', flip = '0'): Shift | undefined => {
  const [sum, bits] = [parseBig(add), parseBig(flip)];
  if (sum === undefined || bits === undefined) return undefined;
  return { add: BigInt.asUintN(64, sign === '-' ? -sum : sum), flip: bits };
};

/** The inverse of `referenceText`; `undefined` when it is none. */
export const parseReference = (text: string): Reference | undefined => {
  const [whole, letter, symbol, sign, add, flip, step] = REFERENCE.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (letter === undefined) return { kind: 'step', step: step === '?' ? undefined : Number(step) };
  const shift = parseShift(sign, add, flip);
  if (shift === undefined) return undefined;
  const kind = letter === 'n' ? 'node' : letter === 'h' ? 'handle' : 'memory';
  const isPlain = shift.add === 0n && shift.flip === 0n;
  return { kind, symbol: Number(symbol), ...(isPlain ? {} : { shift }) };
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

/** The references of one frame while it is written, of which it knows how many found their field. */
export class ReferenceTexts {
  readonly #references: readonly Reference[];
  readonly #told = new Set<number>();

  constructor(references: readonly Reference[]) {
    this.#references = references;
  }

  /** Text for a number that stands for a reference; `undefined` for any other. */
  readonly textOf = (value: bigint): string | undefined => {
    const index = indexOfMarker(value, this.#references.length) ?? -1;
    const reference = this.#references[index];
    if (reference === undefined) return undefined;
    this.#told.add(index);
    return referenceText(reference);
  };

  /** Whether every reference was asked for. */
  get areTold(): boolean {
    return this.#told.size === this.#references.length;
  }
}
