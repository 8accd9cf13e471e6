/** Changes and remembered answers as JSON: bytes in base64, 64-bit seconds as decimal text. */

import type { Answered, Change } from './change.js';
import type { Time } from './inode.js';

const KINDS = new Set<unknown>(['inode', 'entry', 'attributes', 'data', 'punch', 'xattr']);
const TIMES = new Set(['time', 'atime', 'mtime', 'ctime']);
const BYTES = new Set(['bytes', 'value']);

const isTime = (value: unknown): value is Time =>
  typeof value === 'object' && value !== null && 'sec' in value && typeof value.sec === 'bigint';

const encoded = (value: unknown): unknown => {
  if (isTime(value)) return [String(value.sec), value.nsec];
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
};

const decoded = (key: string, value: unknown): unknown => {
  if (TIMES.has(key) && Array.isArray(value)) return { sec: BigInt(value[0]), nsec: Number(value[1]) };
  return BYTES.has(key) && typeof value === 'string' ? Buffer.from(value, 'base64') : value;
};

/** A change as a JSON value; fields that are undefined are left out. */
export const changeToJson = (change: Change): object =>
  Object.fromEntries(Object.entries(change).map(([key, value]) => [key, encoded(value)]));

/** The change back; `undefined` when the value is none. */
export const changeFromJson = (value: unknown): Change | undefined => {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !KINDS.has(value.kind))
    return undefined;
  const change: unknown = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, decoded(key, item)]),
  );
  return change as Change;
};

/** An answer as a JSON value. */
export const answerToJson = ({ unique, digest, reply }: Answered): object => ({
  unique: String(unique),
  digest,
  reply: encoded(reply),
});

/** The answer back; `undefined` when the value is none. */
export const answerFromJson = (value: unknown): Answered | undefined => {
  const { unique, digest, reply } = Object(value);
  if (typeof unique !== 'string' || typeof digest !== 'number' || typeof reply !== 'string') return undefined;
  return { unique: BigInt(unique), digest, reply: Buffer.from(reply, 'base64') };
};
