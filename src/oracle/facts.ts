/**
 * What is known of one object, brought up to date by each exchange that was about it: a good reply tells, a change that was
 * acknowledged makes what it touches known anew or unknown. Which changes touch what follows from the `effect` column.
 */

import type { DecodedRequest } from '../protocol/decode.js';
import { Fattr } from '../protocol/flags.js';
import type { Fields } from '../protocol/layout.js';
import { openAfter } from './change.js';
import { Content } from './content.js';
import {
  type Fact,
  type FactName,
  type Fingerprint,
  numberIn,
  REGULAR,
  type Scalars,
  u64In,
} from './fingerprint.js';
import type { ObjectKey } from './seen.js';

const O_TRUNC = 0o1000;

/** Newer facts in place of older ones. Attributes come whole, so that mostly the newer ones can stay as they are. */
const merged = (older: Scalars, newer: Scalars): Scalars => {
  const isWhole = newer.type !== undefined && older.target === undefined;
  return isWhole ? newer : { ...older, ...newer };
};

/** The facts of one object. There may be millions, so what few have is made when it is first asked for. */
export class Facts {
  #scalars: Scalars = {};
  #content: Content | undefined;
  #xattrs: Map<string, Uint8Array | undefined> | undefined;
  #names: Map<string, boolean> | undefined;
  #children: Map<string, ObjectKey> | undefined;
  #written = false;
  /** Whether `names` holds every name there is. */
  listed = false;
  /** Why no good reply can be about it any more; absent while it is there. */
  gone: string | undefined;

  /** The facts that are one value each. */
  get scalars(): Scalars {
    return this.#scalars;
  }

  /** Contents that were read or written. */
  get content(): Content {
    this.#content ??= new Content();
    return this.#content;
  }

  /** Values of extended attributes that were read or set; `undefined` for one that was removed. */
  get xattrs(): Map<string, Uint8Array | undefined> {
    this.#xattrs ??= new Map();
    return this.#xattrs;
  }

  /** A directory's names: true for one that is there, false for one that is not. */
  get names(): Map<string, boolean> {
    this.#names ??= new Map();
    return this.#names;
  }

  /** Objects that the names led to when they were last asked for. */
  get children(): Map<string, ObjectKey> {
    this.#children ??= new Map();
    return this.#children;
  }

  /** Takes what a reply told. */
  learn({ scalars, data, xattr, names }: Fingerprint): void {
    this.#scalars = merged(this.#scalars, scalars);
    if (data !== undefined) this.content.put(Number(data.offset), data.bytes);
    if (xattr !== undefined) this.xattrs.set(xattr.name, xattr.value);
    // What a whole listing lacks is gone, whoever took it away.
    if (names?.complete === true) for (const name of this.#names?.keys() ?? []) this.names.set(name, false);
    for (const name of names?.known ?? []) this.names.set(name, true);
    this.listed ||= names?.complete === true;
  }

  /** Takes facts away that may have changed. */
  forget(...names: readonly FactName[]): void {
    if (names.every((name) => this.#scalars[name] === undefined)) return;
    const left: { [Name in FactName]?: Fact | undefined } = { ...this.#scalars };
    for (const name of names) left[name] = undefined;
    this.#scalars = left;
  }

  /** Follows an acknowledged request that was sent for this object (or, `second`, whose body names it). */
  change(request: DecodedRequest, second = false): void {
    const { op } = request;
    if (op === undefined || op.effect === 'none') return;
    this.forget(...openAfter[op.effect]);
    const fields: Fields = request.fields;
    // A copy changes only the file that it goes to.
    if (op.effect === 'data' && second === 'nodeidOut' in fields) this.#changeData(fields);
    else if (op.effect === 'attr') this.#setAttributes(fields);
    else if (op.effect === 'xattr') this.#setXattr(fields);
    else if (op.effect === 'handle' || op.effect === 'lock') this.#openOrClose(fields);
  }

  /** Forgets whatever a request may have changed that was not answered. */
  doubt({ op, fields }: DecodedRequest): void {
    const { name, oldname, newname }: Fields = fields;
    this.forget(...openAfter[op?.effect ?? 'unknown']);
    if (op?.effect === 'attr') this.forget('size', 'mode', 'uid', 'gid');
    if (op?.effect === 'data' || op?.effect === 'attr') this.#content = undefined;
    if (op?.effect === 'xattr' && typeof name === 'string') this.#xattrs?.delete(name);
    if (op?.effect !== 'name') return;
    for (const one of [name, oldname, newname]) if (typeof one === 'string') this.#names?.delete(one);
    this.listed = false;
  }

  #changeData(fields: Fields): void {
    this.#written = true;
    const { data } = fields;
    const start = Number('offOut' in fields ? u64In(fields, 'offOut') : u64In(fields, 'offset'));
    if (data instanceof Uint8Array) this.content.put(start, data);
    // FALLOCATE may move all that follows.
    else this.content.drop(start, Number.POSITIVE_INFINITY);
  }

  #setAttributes(fields: Fields): void {
    if ((numberIn(fields, 'valid') & Fattr.SIZE) === 0) return;
    this.#written = true;
    this.content.truncate(Number(u64In(fields, 'size')));
  }

  #setXattr(fields: Fields): void {
    const { name, value } = fields;
    if (typeof name === 'string') this.xattrs.set(name, value instanceof Uint8Array ? value : undefined);
  }

  /** Servers that write back do so when a file is closed, and its times change then. */
  #openOrClose(fields: Fields): void {
    const truncates = 'openFlags' in fields && (numberIn(fields, 'flags') & O_TRUNC) !== 0;
    if (truncates) this.#content = undefined;
    if (truncates) this.forget('size', 'mtime', 'ctime');
    if (this.#written) this.forget('mtime', 'ctime');
  }
}

/** The size of a file, when it is known. */
export const sizeOf = (scalars: Scalars): bigint | undefined =>
  scalars.type === REGULAR && typeof scalars.size === 'bigint' ? scalars.size : undefined;
