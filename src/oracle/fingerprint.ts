/** What one reply tells about the object that it is about. Read from decoded fields by their names, whatever the operation. */

import type { DecodedReply, DecodedRequest } from '../protocol/decode.js';
import type { Fields, Value } from '../protocol/layout.js';

/** A fact that is one value. Times are nanoseconds, `mode` only the permission bits, `type` the S_IFMT bits. */
export type FactName =
  | 'type'
  | 'ino'
  | 'size'
  | 'mtime'
  | 'ctime'
  | 'mode'
  | 'nlink'
  | 'uid'
  | 'gid'
  | 'rdev'
  | 'target';
/** Value of a fact. */
export type Fact = bigint | number | string;
/** Facts by name; what is not known is absent or undefined. */
export type Scalars = { readonly [Name in FactName]?: Fact | undefined };

/** What a reply tells. */
export interface Fingerprint {
  readonly scalars: Scalars;
  /** Contents of a file from `offset` on; `asked` bytes were asked for. */
  readonly data?: { readonly offset: bigint; readonly bytes: Uint8Array; readonly asked: number };
  readonly xattr?: { readonly name: string; readonly value: Uint8Array };
  /** Names in a directory, without "." and ".."; `complete` when they are all that there are. */
  readonly names?: { readonly known: readonly string[]; readonly complete: boolean };
}

const S_IFMT = 0o170000;
/** S_IFDIR: a directory. */
export const DIRECTORY = 0o040000;
/** S_IFREG: a regular file. */
export const REGULAR = 0o100000;
/** S_IFLNK. */
export const SYMLINK = 0o120000;

const NS = 1_000_000_000n;

const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

/** A number by its field name; 0 when there is none. */
export const numberIn = (fields: Fields, name: string): number => {
  const value = fields[name];
  return typeof value === 'number' ? value : 0;
};

/** A u64 by its field name; 0n when there is none. */
export const u64In = (fields: Fields, name: string): bigint => {
  const value = fields[name];
  return typeof value === 'bigint' ? value : 0n;
};

const timeIn = (fields: Fields, name: string): bigint => {
  const time = fields[name];
  if (isFields(time)) return u64In(time, 'tvSec') * NS + BigInt(numberIn(time, 'tvNsec'));
  return u64In(fields, name) * NS + BigInt(numberIn(fields, `${name}nsec`));
};

const deviceIn = (fields: Fields): number =>
  'rdevMajor' in fields
    ? numberIn(fields, 'rdevMajor') * 0x1_0000 + numberIn(fields, 'rdevMinor')
    : numberIn(fields, 'rdev');

/** Facts in a decoded `fuse_attr` or `fuse_statx`. Size and link count of a directory belong to the file system beneath. */
export const scalarsOf = (attr: Fields): Scalars => {
  const mode = numberIn(attr, 'mode');
  const type = mode & S_IFMT;
  const isDirectory = type === DIRECTORY;
  return {
    type,
    ino: u64In(attr, 'ino'),
    size: isDirectory ? undefined : u64In(attr, 'size'),
    nlink: isDirectory ? undefined : numberIn(attr, 'nlink'),
    mtime: timeIn(attr, 'mtime'),
    ctime: timeIn(attr, 'ctime'),
    mode: mode & ~S_IFMT,
    uid: numberIn(attr, 'uid'),
    gid: numberIn(attr, 'gid'),
    rdev: deviceIn(attr),
  };
};

const attributesIn = ({ attr, stat, nodeid }: Fields): Fields | undefined => {
  // Nothing stands behind the nodeid of a negative entry.
  if (nodeid === 0n) return undefined;
  if (isFields(attr)) return attr;
  return isFields(stat) ? stat : undefined;
};

const namesIn = (entries: Value): string[] =>
  (Array.isArray(entries) ? entries : [])
    .map((entry) => (isFields(entry) && typeof entry.name === 'string' ? entry.name : '.'))
    .filter((name) => name !== '.' && name !== '..');

/** Bytes of a record with the longest name; READDIRPLUS has 128 more. */
const LONGEST_RECORD = 24 + 256 + 128;

/** A listing from the start that had room for one name more is all there is. */
const listingIn = (request: Fields, entries: Value, length: number): Pick<Fingerprint, 'names'> => {
  if (entries === undefined) return {};
  const room = numberIn(request, 'size') - length;
  const complete = u64In(request, 'offset') === 0n && room >= LONGEST_RECORD;
  return { names: { known: namesIn(entries), complete } };
};

const dataIn = (request: Fields, reply: Fields): Pick<Fingerprint, 'data'> => {
  const { data } = reply;
  if (!(data instanceof Uint8Array)) return {};
  return { data: { offset: u64In(request, 'offset'), bytes: data, asked: numberIn(request, 'size') } };
};

const xattrIn = (request: Fields, reply: Fields): Pick<Fingerprint, 'xattr'> => {
  const { name } = request;
  const { value } = reply;
  return typeof name === 'string' && value instanceof Uint8Array ? { xattr: { name, value } } : {};
};

/** What a good reply tells about its object; empty for an error. */
export const fingerprintOf = (request: DecodedRequest, reply: DecodedReply): Fingerprint => {
  if (!reply.ok) return { scalars: {} };
  const asked: Fields = request.fields;
  const told: Fields = reply.fields;
  const attr = attributesIn(told);
  const target = typeof told.target === 'string' ? { target: told.target } : {};
  return {
    scalars: attr === undefined ? target : scalarsOf(attr),
    ...dataIn(asked, told),
    ...xattrIn(asked, told),
    ...listingIn(asked, told.entries, reply.header.len),
  };
};

/** Whether a fingerprint tells nothing at all. */
export const isEmpty = ({ scalars, data, xattr, names }: Fingerprint): boolean =>
  Object.values(scalars).every((value) => value === undefined) &&
  data === undefined &&
  xattr === undefined &&
  names === undefined;
