/**
 * What is known of one object, brought up to date by each exchange that was about it: a good reply tells, a change that was
 * acknowledged makes what it touches known anew or unknown. Which changes touch what follows from the `effect` column.
 */

import type { DecodedRequest } from '../protocol/decode.js';
import { Fattr } from '../protocol/flags.js';
import type { Fields } from '../protocol/layout.js';
import { openAfter } from './change.js';
import { Content } from './content.js';
import { type Fact, type FactName, type Fingerprint, REGULAR, type Scalars } from './fingerprint.js';
import type { ObjectKey } from './seen.js';

const O_TRUNC = 0o1000;

const bigintIn = (fields: Fields, name: string): bigint | undefined => {
  const value = fields[name];
  return typeof value === 'bigint' ? value : undefined;
};

const numberIn = (fields: Fields, name: string): number => {
  const value = fields[name];
  return typeof value === 'number' ? value : 0;
};

/** The facts of one object. */
export class Facts {
  #scalars: { [Name in FactName]?: Fact } = {};
  readonly content = new Content();
  /** Values of extended attributes that were read or set; `undefined` for one that was removed. */
  readonly xattrs = new Map<string, Uint8Array | undefined>();
  /** A directory's names: true for one that is there, false for one that is not. */
  readonly names = new Map<string, boolean>();
  /** Objects that the names led to when they were last asked for. */
  readonly children = new Map<string, ObjectKey>();
  /** Whether `names` holds every name there is. */
  listed = false;
  /** Why no good reply can be about it any more; absent while it is there. */
  gone: string | undefined;
  #written = false;

  /** The facts that are one value each. */
  get scalars(): Scalars {
    return this.#scalars;
  }

  /** Takes what a reply told. */
  learn({ scalars, data, xattr, names }: Fingerprint): void {
    Object.assign(this.#scalars, scalars);
    if (data !== undefined) this.content.put(Number(data.offset), data.bytes);
    if (xattr !== undefined) this.xattrs.set(xattr.name, xattr.value);
    for (const name of names?.known ?? []) this.names.set(name, true);
    this.listed ||= names?.complete === true;
  }

  /** Takes facts away that may have changed. */
  forget(...names: readonly FactName[]): void {
    for (const name of names) delete this.#scalars[name];
  }

  /** Follows an acknowledged request that was sent for this object (or, `second`, whose body names it). */
  change(request: DecodedRequest, second = false): void {
    const { op } = request;
    if (op === undefined) return;
    this.forget(...openAfter[op.effect]);
    const fields: Fields = request.fields;
    if (op.effect === 'data' && (second || !('nodeidOut' in fields))) this.#changeData(fields);
    else if (op.effect === 'attr') this.#setAttributes(fields);
    else if (op.effect === 'xattr') this.#setXattr(fields);
    else if (op.effect === 'handle' || op.effect === 'lock') this.#openOrClose(fields);
  }

  #changeData(fields: Fields): void {
    this.#written = true;
    const { data } = fields;
    const offset = bigintIn(fields, 'offset') ?? bigintIn(fields, 'offOut') ?? 0n;
    if (data instanceof Uint8Array) this.content.put(Number(offset), data);
    // FALLOCATE may move all that follows.
    else this.content.drop(Number(offset), Number.POSITIVE_INFINITY);
  }

  #setAttributes(fields: Fields): void {
    const valid = numberIn(fields, 'valid');
    if ((valid & Fattr.SIZE) === 0) return;
    this.#written = true;
    this.content.truncate(Number(bigintIn(fields, 'size') ?? 0n));
  }

  #setXattr(fields: Fields): void {
    const { name, value } = fields;
    if (typeof name === 'string') this.xattrs.set(name, value instanceof Uint8Array ? value : undefined);
  }

  /** Servers that write back do so when a file is closed, and its times change then. */
  #openOrClose(fields: Fields): void {
    const truncates = 'openFlags' in fields && (numberIn(fields, 'flags') & O_TRUNC) !== 0;
    if (truncates) this.content.truncate(0);
    if (truncates) this.forget('size', 'mtime', 'ctime');
    if (this.#written) this.forget('mtime', 'ctime');
  }
}

/** The size of a file, when it is known. */
export const sizeOf = (scalars: Scalars): bigint | undefined =>
  scalars.type === REGULAR && typeof scalars.size === 'bigint' ? scalars.size : undefined;
