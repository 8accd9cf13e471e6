/**
 * Bodies of messages as `name=value` words and back, by the parts of the tables. Fields that are zero and counts that
 * follow from what they count are left out. It knows no operation.
 */

import { bytesOf } from '../../protocol/byte-string.js';
import { flagText } from '../../protocol/flags.js';
import {
  type FieldSpec,
  type Fields,
  type MutableFields,
  type Struct,
  scalarSizes,
  type Value,
} from '../../protocol/layout.js';
import type { Part, SimplePart } from '../../protocol/parts.js';
import type { Line } from './line.js';
import { bigText, modeText, parseBig, parseFlags, parseNumber } from './numbers.js';
import { type LoadPayload, parsePayload, payloadText, type StorePayload } from './payload.js';

/** What printing needs to know. */
export interface PrintContext {
  /** How an id is written; `undefined` when the number is meant. */
  readonly reference: (value: bigint) => string | undefined;
  readonly store: StorePayload;
}

/** What parsing needs to know. */
export interface ParseContext {
  /** The number that stands for a reference; `undefined` when the text is none. */
  readonly marker: (text: string) => bigint | undefined;
  readonly load: LoadPayload;
}

const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

const isZero = (value: Value): boolean => {
  if (Array.isArray(value)) return value.every(isZero);
  if (isFields(value)) return Object.values(value).every(isZero);
  return value === undefined || value === 0 || value === 0n;
};

const numberText = (value: number, spec: FieldSpec): string => {
  if (spec === 'mode' || spec === 'oflags') return modeText(value);
  return typeof spec === 'object' && spec.kind === 'bits' ? flagText(spec.names, value) : String(value);
};

const valueText = (value: Value, spec: FieldSpec, context: PrintContext): string => {
  if (typeof value === 'bigint') return context.reference(value) ?? bigText(value);
  if (typeof value === 'number') return numberText(value, spec);
  if (Array.isArray(value) && typeof spec === 'object' && spec.kind === 'vector')
    return `[${value.map((item) => valueText(item, spec.of, context)).join(' ')}]`;
  if (isFields(value) && typeof spec === 'object' && spec.kind === 'struct')
    return `{${structWords(spec, value, context).join(' ')}}`;
  return '';
};

const structWords = (layout: Struct, fields: Fields, context: PrintContext, without?: string): string[] =>
  layout.placed
    .filter(({ name }) => name !== without && !isZero(fields[name]))
    .map(({ name, spec }) => `${name}=${valueText(fields[name], spec, context)}`);

const lengthOf = (value: Value): number => {
  if (typeof value === 'string') return bytesOf(value).length;
  return value instanceof Uint8Array || Array.isArray(value) ? value.length : 0;
};

/** Counts that the writer of a frame would find out by itself. */
const impliedCounts = (parts: readonly Part[], fields: Fields): ReadonlySet<string> => {
  const implied = parts.flatMap((part) => {
    const path = part.kind === 'list' ? part.count[0] : 'length' in part ? part.length : undefined;
    return path === undefined || !('field' in part) || fields[path] !== lengthOf(fields[part.field])
      ? []
      : [path];
  });
  return new Set(implied);
};

const recordText = (of: Struct, item: Fields, context: PrintContext): string => {
  const without = item.namelen === lengthOf(item.name) ? 'namelen' : undefined;
  const padding =
    item.padding instanceof Uint8Array ? [`padding=${payloadText(item.padding, context.store)}`] : [];
  const words = [`name=${JSON.stringify(item.name)}`, ...structWords(of, item, context, without), ...padding];
  return `{${words.join(' ')}}`;
};

const itemsText = (part: SimplePart, items: Value, context: PrintContext): string => {
  const texts = (Array.isArray(items) ? items : []).map((item) => {
    if (part.kind === 'records') return recordText(part.of, item, context);
    return part.kind === 'list' ? `{${structWords(part.of, item, context).join(' ')}}` : '';
  });
  return `[${texts.join(' ')}]`;
};

const partWords = (part: Part, fields: Fields, context: PrintContext): string[] => {
  if (part.kind === 'choice')
    return [...part.then, ...part.otherwise].flatMap((one) => partWords(one, fields, context));
  if (part.kind === 'struct') return structWords(part.layout, fields, context);
  const value = fields[part.field];
  if (value === undefined || lengthOf(value) === 0) return [];
  if (typeof value === 'string') return [`${part.field}=${JSON.stringify(value)}`];
  if (value instanceof Uint8Array) return [`${part.field}=${payloadText(value, context.store)}`];
  return [`${part.field}=${itemsText(part, value, context)}`];
};

/** The fields of a body, in the order of the wire. */
export const fieldWords = (parts: readonly Part[], fields: Fields, context: PrintContext): string[] => {
  const implied = impliedCounts(parts, fields);
  const told = Object.fromEntries(Object.entries(fields).filter(([name]) => !implied.has(name)));
  return parts.flatMap((part) => partWords(part, told, context));
};

/** Reads the value after `name=`. */
type ValueParser = (line: Line, context: ParseContext) => Value;

const isBig = (spec: FieldSpec): boolean =>
  typeof spec === 'string' ? scalarSizes[spec] === 8 : spec.kind === 'bits' && spec.width === 'u64';

const parseValue = (spec: FieldSpec, name: string, line: Line, context: ParseContext): Value => {
  if (isBig(spec))
    return line.parsed(`a number or an id for ${name}`, (text) => context.marker(text) ?? parseBig(text));
  if (typeof spec === 'string') return parseSmall(spec, name, line);
  if (spec.kind === 'bits')
    return line.parsed(
      () => `flags for ${name} (${Object.keys(spec.names).join(', ')})`,
      (text) => parseFlags(spec.names, text),
    );
  if (spec.kind === 'struct') return parseBraces(structParsers(spec), line, context);
  line.mark('[');
  const items: Value[] = [];
  while (!line.takeIf(']')) items.push(parseValue(spec.of, name, line, context));
  return items as readonly Value[];
};

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  u16: [0, 0xffff],
  i32: [-0x8000_0000, 0x7fff_ffff],
};
const RANGE_OF_U32 = [0, 0xffff_ffff] as const;

const parseSmall = (spec: string, name: string, line: Line): number => {
  const [least, most] = ranges[spec] ?? RANGE_OF_U32;
  return line.parsed(`a number from ${least} to ${most} for ${name}`, (text) => {
    const value = parseNumber(text);
    return value === undefined || value < least || value > most ? undefined : value;
  });
};

const structParsers = (layout: Struct): Map<string, ValueParser> =>
  new Map(
    layout.placed.map(({ name, spec }) => [
      name,
      (line: Line, context: ParseContext) => parseValue(spec, name, line, context),
    ]),
  );

const parseText: ValueParser = (line) => line.string('text');
const parseBytes: ValueParser = (line, { load }) =>
  line.parsed('hex:…, zero:N, or file:NAME of a file that is there', (text) => parsePayload(text, load));

const parseItems =
  (parsers: Map<string, ValueParser>): ValueParser =>
  (line, context) => {
    line.mark('[');
    const items: Fields[] = [];
    while (!line.takeIf(']')) items.push(parseBraces(parsers, line, context));
    return items;
  };

const recordParsers = (of: Struct): Map<string, ValueParser> =>
  structParsers(of).set('name', parseText).set('padding', parseBytes);

const partParsers = (part: Part): Iterable<readonly [string, ValueParser]> => {
  if (part.kind === 'choice')
    return [...part.then, ...part.otherwise].flatMap((one) => [...partParsers(one)]);
  if (part.kind === 'struct') return structParsers(part.layout);
  if (part.kind === 'bytes') return [[part.field, parseBytes]];
  if (part.kind === 'list') return [[part.field, parseItems(structParsers(part.of))]];
  if (part.kind === 'records') return [[part.field, parseItems(recordParsers(part.of))]];
  return [[part.field, parseText]];
};

const parseBraces = (
  parsers: ReadonlyMap<string, ValueParser>,
  line: Line,
  context: ParseContext,
): MutableFields => {
  line.mark('{');
  const fields = parseWords(parsers, line, context);
  line.mark('}');
  return fields;
};

const parseWords = (
  parsers: ReadonlyMap<string, ValueParser>,
  line: Line,
  context: ParseContext,
): MutableFields => {
  const fields: MutableFields = {};
  while (line.isAtWord) {
    const names = (): string => `a field (${[...parsers.keys()].join(', ') || 'none'})`;
    const [name, parse] = line.parsed(names, (text) => {
      const parser = parsers.get(text);
      return parser === undefined ? undefined : ([text, parser] as const);
    });
    line.mark('=');
    fields[name] = parse(line, context);
  }
  return fields;
};

const compiled = new WeakMap<readonly Part[], ReadonlyMap<string, ValueParser>>();
const parsersOf = (parts: readonly Part[]): ReadonlyMap<string, ValueParser> => {
  const known = compiled.get(parts) ?? new Map(parts.flatMap((part) => [...partParsers(part)]));
  compiled.set(parts, known);
  return known;
};

/** Reads the fields of a body up to a mark or the end of the line; any may be missing. */
export const parseFields = (parts: readonly Part[], line: Line, context: ParseContext): Fields =>
  parseWords(parsersOf(parts), line, context);
