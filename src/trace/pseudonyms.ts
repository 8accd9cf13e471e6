/**
 * Other names and other contents in place of the true ones: equal stays equal, lengths stay, and without the key nothing
 * leads back. Knows bytes only.
 */

import { createHash, createHmac } from 'node:crypto';

const NUL = 0;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Contents are replaced in pieces, so that a file that was written in one way and read in another still shows the same. */
export const PIECE = 512;
const alphabet = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-');
/** Tries after which names of one or two bytes take any byte that a name may have. */
const READABLE_TRIES = 64;
/** No file system has so many names of one length that it comes to this; a hostile trace may, and gets names twice. */
const LAST_TRY = 1 << 14;
const SMALLEST = 1;

const isDots = (name: Uint8Array): boolean => name.length <= 2 && name.every((byte) => byte === DOT);

/** Replaces names and contents under one key. */
export class Pseudonyms {
  readonly #key: Uint8Array;
  readonly #names = new Map<string, Uint8Array>();
  readonly #taken = new Set<string>();

  /** Two with the same key and the same names in the same order agree. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** One file name for another of its length; `.` and `..` stay. Different names stay different. */
  name(name: Uint8Array): Uint8Array {
    if (isDots(name)) return name;
    const text = Buffer.from(name).toString('latin1');
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const fresh = this.#freshName(name);
    this.#names.set(text, fresh);
    return fresh;
  }

  /** A path with each of its names replaced. */
  path(path: Uint8Array): Uint8Array {
    const out = Buffer.from(path);
    for (let start = 0; start < out.length; ) {
      const slash = out.indexOf(SLASH, start);
      const end = slash < 0 ? out.length : slash;
      if (end > start) out.set(this.name(path.subarray(start, end)), start);
      start = end + 1;
    }
    return out;
  }

  /** Contents that begin at an offset of their file. Pieces of nothing but zeroes stay, for holes mean something. */
  data(data: Uint8Array, offset: number): Uint8Array {
    const out = Buffer.from(data);
    for (let start = 0; start < out.length; ) {
      const end = Math.min(out.length, start + PIECE - ((offset + start) % PIECE));
      const piece = data.subarray(start, end);
      if (piece.some((byte) => byte !== NUL)) out.set(this.#hash(piece), start);
      start = end;
    }
    return out;
  }

  /** A digest of contents, keyed, so that nobody finds contents by guessing. */
  digest(digest: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update('digest').update(digest).digest();
  }

  #hash(piece: Uint8Array): Uint8Array {
    return createHash('shake256', { outputLength: piece.length }).update(this.#key).update(piece).digest();
  }

  #freshName(name: Uint8Array): Uint8Array {
    for (let attempt = 0; ; attempt++) {
      const stream = this.#stream(name, attempt);
      const candidate = attempt < READABLE_TRIES ? readable(stream) : anyName(stream);
      const text = Buffer.from(candidate).toString('latin1');
      if (attempt < LAST_TRY && (this.#taken.has(text) || isDots(candidate))) continue;
      this.#taken.add(text);
      return candidate;
    }
  }

  #stream(name: Uint8Array, attempt: number): Uint8Array {
    const options = { outputLength: name.length };
    return createHash('shake256', options).update(this.#key).update(`name ${attempt} `).update(name).digest();
  }
}

const readable = (stream: Uint8Array): Uint8Array =>
  stream.map((byte) => alphabet[byte % alphabet.length] ?? SMALLEST);

const anyName = (stream: Uint8Array): Uint8Array =>
  stream.map((byte) => (byte === NUL || byte === SLASH ? SMALLEST : byte));
