/**
 * Decoded messages on one line each, for people: flags by name, modes in octal, times in seconds, large ids in
 * hexadecimal. Reserved fields are left out while they are zero.
 */

import { errnoName } from '../base/errno.js';
import type { DecodedNotification, DecodedReply, DecodedRequest, DecodeError } from './decode.js';
import type { Extension } from './extensions.js';
import { isFields, isList } from './fields.js';
import { flagText } from './flags.js';
import type { FieldSpec, Fields, Struct, Value } from './layout.js';
import type { Part, SimplePart } from './parts.js';

const RESERVED = /^(padding|dummy|unused|spare|reserved)\d*$/;
// Names and items beyond this many make a line unreadable.
const MOST_ITEMS = 8;
const HEX_FROM = 1n << 32n;

const number = (value: bigint): string => (value >= HEX_FROM ? `0x${value.toString(16)}` : value.toString());

const structText = (layout: Struct, fields: Fields): string => `{${structWords(layout, fields).join(' ')}}`;

const valueText = (value: Value, spec?: FieldSpec): string => {
  if (typeof value === 'bigint') return number(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === 'number') return numberText(value, spec);
  if (isFields(value) && typeof spec === 'object' && spec.kind === 'struct') return structText(spec, value);
  return isList(value) ? `[${value.map((item) => valueText(item)).join(' ')}]` : '';
};

const numberText = (value: number, spec: FieldSpec | undefined): string => {
  if (spec === 'mode' || spec === 'oflags') return value === 0 ? '0' : `0${value.toString(8)}`;
  return typeof spec === 'object' && spec.kind === 'bits' ? flagText(spec.names, value) : String(value);
};

const isZero = (value: Value): boolean =>
  isList(value) ? value.every(isZero) : value === 0 || value === 0n || value === undefined;

/** A field as it is printed. */
interface Column {
  readonly name: string;
  readonly spec: FieldSpec;
  /** Left out while it is zero. */
  readonly isReserved: boolean;
  /** Field with the nanoseconds of this one: `atimensec` of `atime`, `entryValidNsec` of `entryValid`. */
  readonly fraction: string | undefined;
}

const columnsOfLayout = ({ placed }: Struct): readonly Column[] => {
  const names = new Set(placed.map(({ name }) => name));
  return placed.flatMap(({ name, spec }) => {
    if (/[nN]sec$/.test(name) && names.has(name.slice(0, -4))) return [];
    const fraction = [`${name}nsec`, `${name}Nsec`].find((one) => names.has(one));
    return [{ name, spec, isReserved: RESERVED.test(name), fraction }];
  });
};

const knownColumns = new WeakMap<Struct, readonly Column[]>();

/** Worked out once for each layout: traces of millions of frames are printed. */
const columnsOf = (layout: Struct): readonly Column[] => {
  const known = knownColumns.get(layout) ?? columnsOfLayout(layout);
  knownColumns.set(layout, known);
  return known;
};

const timeText = (seconds: Value, fraction: number): string =>
  fraction === 0 ? valueText(seconds) : `${valueText(seconds)}.${String(fraction).padStart(9, '0')}`;

const structWords = (layout: Struct, fields: Fields): string[] => {
  const words: string[] = [];
  for (const { name, spec, isReserved, fraction } of columnsOf(layout)) {
    const value = fields[name];
    if (value === undefined || (isReserved && isZero(value))) continue;
    const nanoseconds = fraction === undefined ? undefined : fields[fraction];
    const isTime = typeof nanoseconds === 'number';
    words.push(`${name}=${isTime ? timeText(value, nanoseconds) : valueText(value, spec)}`);
  }
  return words;
};

const itemText = (of: Struct, item: Value): string => {
  if (!isFields(item)) return '';
  if (typeof item.name !== 'string') return structText(of, item);
  const node = typeof item.nodeid === 'bigint' ? `=${number(item.nodeid)}` : '';
  return `${JSON.stringify(item.name)}${node}`;
};

const itemsText = (of: Struct, items: Value): string => {
  if (!isList(items)) return '[]';
  const shown = items.slice(0, MOST_ITEMS).map((item) => itemText(of, item));
  const more = items.length > MOST_ITEMS ? [`and ${items.length - MOST_ITEMS} more`] : [];
  return `[${[...shown, ...more].join(' ')}]`;
};

const partWords = (part: Part, fields: Fields): string[] => {
  if (part.kind === 'choice')
    return [...part.then, ...part.otherwise].flatMap((one) => partWords(one, fields));
  if (part.kind === 'struct') return structWords(part.layout, fields);
  return fields[part.field] === undefined ? [] : [`${part.field}=${fieldText(part, fields[part.field])}`];
};

const fieldText = (part: Exclude<SimplePart, { kind: 'struct' }>, value: Value): string =>
  part.kind === 'list' || part.kind === 'records' ? itemsText(part.of, value) : valueText(value);

const bodyWords = (parts: readonly Part[] | undefined, fields: Fields): string[] =>
  parts === undefined ? [`body=${valueText(fields.body)}`] : parts.flatMap((part) => partWords(part, fields));

const extensionText = (extension: Extension): string => {
  if (extension.kind === 'groups') return `groups=[${extension.groups.join(' ')}]`;
  if (extension.kind === 'unknown') return `extension ${extension.type}=${extension.body.length} bytes`;
  return `security=[${extension.contexts.map(({ name }) => JSON.stringify(name)).join(' ')}]`;
};

const line = (words: readonly string[]): string => words.filter((word) => word !== '').join(' ');

/** A request: name, unique, node, body, as in `LOOKUP #4 node 1 name="a"`. */
export const requestText = (request: DecodedRequest): string => {
  const { header, op, fields, extensions } = request;
  const node = header.nodeid === 0n ? '' : `node ${number(header.nodeid)}`;
  const name = op?.name ?? `opcode ${header.opcode}`;
  const words = bodyWords(op?.request, fields);
  return line([name, `#${header.unique}`, node, ...words, ...extensions.map(extensionText)]);
};

/** A reply: name, unique, error or body, as in `LOOKUP #4 = ENOENT`. */
export const replyText = (reply: DecodedReply): string => {
  const { header, op, fields } = reply;
  const words = reply.ok ? ['OK', ...bodyWords(op?.reply, fields)] : [errnoName(header.error)];
  return line([op?.name ?? 'reply', `#${header.unique}`, '=', ...words]);
};

/** A notification: name and body, as in `NOTIFY_INVAL_INODE ino=7 off=0 len=0`. */
export const notificationText = (notification: DecodedNotification): string => {
  const { header, op, fields } = notification;
  return line([`NOTIFY_${op?.name ?? header.error}`, ...bodyWords(op?.body, fields)]);
};

const reasons: Readonly<Record<DecodeError['reason'], (error: DecodeError) => string>> = {
  short: ({ offset, need, have }) => `needs ${need} bytes at offset ${offset}, has ${Math.max(0, have)}`,
  leftOver: ({ offset, have }) => `has ${have} bytes left over at offset ${offset}`,
  length: ({ need, have }) => `says ${need} bytes in its header, has ${have}`,
  unterminated: ({ offset }) => `has a name without NUL at offset ${offset}`,
  extension: ({ offset, need, have }) =>
    `has an extension of ${need} bytes at offset ${offset}, where ${have} are left`,
};

/** Why bytes are no message, as in `request needs 40 bytes at offset 0, has 12`. */
export const decodeErrorText = (error: DecodeError): string =>
  `${error.message} ${reasons[error.reason](error)}`;
