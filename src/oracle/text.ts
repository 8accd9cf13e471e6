/** Values of decoded fields as short words for divergences and evidence. It knows no operation. */

import { errnoName } from '../base/errno.js';
import type { Fields, Value } from '../protocol/layout.js';

/** What helps to print a value well. */
export interface ValueTextOptions {
  /** Dotted path of the field: errors and modes have a spelling of their own. */
  readonly path?: string;
  /** The value that it is compared with: of bytes, those around the first difference are shown. */
  readonly beside?: Value;
}

const HEX_FROM = 1n << 32n;
const SHOWN_BYTES = 16;
const SHOWN_TEXT = 80;

const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

/** Index of the first byte in which two arrays differ; the shorter length when one begins the other. */
export const firstDifferent = (a: Uint8Array, b: Uint8Array): number => {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) if (a[at] !== b[at]) return at;
  return shorter;
};

const PRINTABLE = /^[\x20-\x7e]*$/;

const excerpt = (bytes: Uint8Array, at: number): string => {
  const piece = Buffer.from(bytes.subarray(at, at + SHOWN_BYTES));
  const text = piece.toString('latin1');
  const shown = PRINTABLE.test(text) ? JSON.stringify(text) : piece.toString('hex');
  return at + SHOWN_BYTES < bytes.length ? `${shown}…` : shown;
};

/** Bytes as `4096 bytes, at 512 "hello"`: from where they differ from `beside`, or from their start. */
export const bytesText = (bytes: Uint8Array, beside?: Uint8Array): string => {
  const at = beside === undefined ? 0 : firstDifferent(bytes, beside);
  return at >= bytes.length
    ? `${bytes.length} bytes`
    : `${bytes.length} bytes, at ${at} ${excerpt(bytes, at)}`;
};

const shortened = (text: string): string =>
  text.length <= SHOWN_TEXT ? text : `${text.slice(0, SHOWN_TEXT)}…`;

const numberText = (value: number, path: string): string => {
  if (path === 'error') return errnoName(value);
  return path.endsWith('mode') ? `0${value.toString(8)}` : String(value);
};

/** A value on one line; `absent` when there is none. */
export const valueText = (value: Value, { path = '', beside }: ValueTextOptions = {}): string => {
  if (value === undefined) return 'absent';
  if (typeof value === 'bigint') return value >= HEX_FROM ? `0x${value.toString(16)}` : value.toString();
  if (typeof value === 'number') return numberText(value, path);
  if (typeof value === 'string') return shortened(JSON.stringify(value));
  if (value instanceof Uint8Array) return bytesText(value, beside instanceof Uint8Array ? beside : undefined);
  if (isFields(value)) return shortened(fieldsText(value));
  return shortened(`[${value.map((item) => valueText(item)).join(' ')}]`);
};

const fieldsText = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${valueText(value, { path: name })}`)
    .join(' ');
