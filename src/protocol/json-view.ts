/** Decoded fields as plain JSON data: u64 as decimal strings, bytes as base64, everything else as it is. */

import type { Fields, Value } from './layout.js';

/** What JSON can hold. */
export type Json = number | string | { readonly [name: string]: Json } | readonly Json[];

const jsonOf = (value: Value): Json => {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(jsonOf);
  return jsonFields((value ?? {}) as Fields);
};

/** The fields of a message; absent ones stay absent. */
export const jsonFields = (fields: Fields): { readonly [name: string]: Json } =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, jsonOf(value)]])),
  );
