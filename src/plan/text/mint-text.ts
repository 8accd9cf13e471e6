/**
 * What a good reply is to mint, where no reply was recorded: `mints nodeid=%n3 fh=%h4`, or for the records of a directory
 * `mints entries=[{name="a" nodeid=%n5}]`.
 */

import type { IdUse } from '../../protocol/operation.js';
import type { Operation } from '../../protocol/operations.js';
import type { Mint } from '../plan.js';
import type { KindOf } from './identified.js';
import type { Line } from './line.js';
import { parseReference, symbolText } from './references.js';
import type { SymbolReference } from './symbol-list.js';

/** The word that such a list begins with. */
export const MINTS = 'mints';

/** A list of mints in words. */
export const mintWords = (mints: readonly Mint[], kindOf: KindOf): string[] => {
  const field = ({ use, symbol }: Mint): string => `${use.field}=${symbolText(kindOf(symbol), symbol)}`;
  const words: string[] = [];
  for (let at = 0; at < mints.length; ) {
    const each = mints[at]?.use.each;
    const rest = mints.slice(at);
    const length = each === undefined ? 1 : rest.findIndex(({ use }) => use.each !== each);
    const group = rest.slice(0, length < 0 ? rest.length : length);
    const items = group.map((mint) => `{name=${JSON.stringify(mint.name ?? '')} ${field(mint)}}`);
    words.push(each === undefined ? group.map(field).join(' ') : `${each}=[${items.join(' ')}]`);
    at += group.length;
  }
  return [MINTS, ...words];
};

/** Reads the words after `mints`; `check` ends with an error for a symbol that is not declared. */
export const parseMints = (
  op: Operation | undefined,
  line: Line,
  check: (reference: SymbolReference, line: Line) => unknown,
): Mint[] => {
  const uses = (op?.ids ?? []).filter(
    ({ side, kind, act }) => side === 'reply' && act === 'create' && (kind === 'node' || kind === 'handle'),
  );
  const read = (within: readonly IdUse[]): Mint => {
    const use = useOf(within, line);
    line.mark('=');
    const reference = referenceTo(use, line);
    check(reference, line);
    return { offset: 0, use, symbol: reference.symbol };
  };
  const mints: Mint[] = [];
  while (line.isAtWord) {
    const each = line.atomIf((text) => uses.some((use) => use.each === text));
    if (each === undefined) mints.push(read(uses.filter((use) => use.each === undefined)));
    else mints.push(...parseRecords(line, () => read(uses.filter((use) => use.each === each))));
  }
  return mints;
};

const parseRecords = (line: Line, read: () => Mint): Mint[] => {
  const mints: Mint[] = [];
  line.mark('=');
  line.mark('[');
  while (!line.takeIf(']')) {
    line.mark('{');
    if (line.atom('name="…"') !== 'name') line.fail('name="…" first in a record');
    line.mark('=');
    const name = line.string('a name');
    mints.push({ ...read(), name });
    line.mark('}');
  }
  return mints;
};

const useOf = (uses: readonly IdUse[], line: Line): IdUse =>
  line.parsed(
    () =>
      uses.length === 0
        ? 'the end, as such a reply mints nothing'
        : `one of ${uses.map(({ field }) => field).join(', ')}`,
    (text) => uses.find(({ field }) => field === text),
  );

const referenceTo = ({ kind, field }: IdUse, line: Line): SymbolReference =>
  line.parsed(`the id of a ${kind} for ${field}`, (text) => {
    const reference = parseReference(text);
    const isRight = reference?.kind === kind && 'symbol' in reference && reference.shift === undefined;
    return isRight ? reference : undefined;
  });
