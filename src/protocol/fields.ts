/** Decoded fields looked at without knowing their operation. */

import type { Fields, Value } from './layout.js';

/** Whether a value is a struct or another record of named values. */
export const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

/** Whether a value is a list: of numbers, or of records. */
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** Value at a dotted path; `undefined` where there is none. */
export const valueAt = (fields: Fields, path: string): Value =>
  path.split('.').reduce<Value>((value, key) => (isFields(value) ? value[key] : undefined), fields);
