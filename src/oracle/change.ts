/** What a request is meant to change, from its fields and the `effect` column: what a reply cannot be told by, and what must show afterwards. */

import type { DecodedRequest } from '../protocol/decode.js';
import { Fattr } from '../protocol/flags.js';
import type { Fields } from '../protocol/layout.js';
import type { Effect } from '../protocol/operation.js';
import type { FactName, Fingerprint, Scalars } from './fingerprint.js';

/** Facts that an acknowledged change of each kind leaves open on the nodes that the request names. */
export const openAfter: Readonly<Record<Effect, readonly FactName[]>> = {
  none: [],
  data: ['size', 'mtime', 'ctime'],
  name: ['mtime', 'ctime', 'nlink'],
  attr: ['mtime', 'ctime'],
  xattr: ['ctime'],
  lock: [],
  handle: [],
  count: [],
  session: [],
  unknown: ['size', 'mtime', 'ctime', 'mode'],
};

const PERMISSIONS = 0o7777;

const settable: readonly (readonly [number, FactName])[] = [
  [Fattr.MODE, 'mode'],
  [Fattr.UID, 'uid'],
  [Fattr.GID, 'gid'],
  [Fattr.SIZE, 'size'],
];

/** Facts that a SETATTR sets, with their new values; none for other requests. */
export const factsSet = (fields: Fields): Scalars => {
  const { valid } = fields;
  if (typeof valid !== 'number') return {};
  const set: { [Name in FactName]?: number | bigint } = {};
  for (const [bit, name] of settable) {
    const value = fields[name];
    if ((valid & bit) === 0 || (typeof value !== 'number' && typeof value !== 'bigint')) continue;
    set[name] = name === 'mode' ? Number(value) & PERMISSIONS : value;
  }
  return set;
};

/** What a reply tells besides what its request was to change: that part says nothing about which object it is. */
export const unaffected = (told: Fingerprint, request: DecodedRequest): Fingerprint => {
  const { op } = request;
  if (op === undefined) return told;
  const open: readonly string[] = [...openAfter[op.effect], ...Object.keys(factsSet(request.fields))];
  const scalars = Object.fromEntries(Object.entries(told.scalars).filter(([name]) => !open.includes(name)));
  return { ...told, scalars };
};
