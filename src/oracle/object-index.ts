/**
 * Finds the objects that a reply might be about without asking all of them. Entries are never taken back: what it names
 * still has to be compared.
 */

import type { Fingerprint } from './fingerprint.js';
import type { ObjectKey } from './seen.js';

/** Reads of the kernel begin at pages, so stretches of contents are looked for at every page. */
const PAGE = 4096;
/** Bytes of contents that make a key. */
const SAMPLE = 16;
/** A key that so many objects share finds nobody. */
const MOST = 1000;

const dataKeys = (data: NonNullable<Fingerprint['data']>): string[] => {
  const start = Number(data.offset);
  const keys: string[] = [];
  for (let at = 0; at < data.bytes.length; at += PAGE - ((start + at) % PAGE)) {
    const sample = data.bytes.subarray(at, at + SAMPLE);
    if (sample.some((byte) => byte !== 0))
      keys.push(`data ${start + at} ${Buffer.from(sample).toString('latin1')}`);
  }
  return keys;
};

/** Keys of what hardly two objects share. Sizes are left out: nobody is recognised by a size alone. */
const keysOf = ({ scalars, data, xattr, names }: Fingerprint): (string | bigint)[] => {
  const keys: (string | bigint)[] = [];
  const { ino, mtime, target } = scalars;
  if (typeof ino === 'bigint' && ino !== 0n) keys.push(ino);
  // Times are told from inode numbers by their sign.
  if (typeof mtime === 'bigint' && mtime !== 0n) keys.push(-mtime);
  if (typeof target === 'string') keys.push(`target ${target}`);
  if (xattr !== undefined && xattr.value.length > 0)
    keys.push(`xattr ${xattr.name} ${Buffer.from(xattr.value).toString('latin1')}`);
  if (names !== undefined) keys.push(...names.known.map((name) => `name ${name}`));
  if (data !== undefined) keys.push(...dataKeys(data));
  return keys;
};

/** Objects by what was told about them. */
export class ObjectIndex {
  /** Most keys have one object: a set for each would be most of the memory. */
  readonly #byKey = new Map<string | bigint, ObjectKey | Set<ObjectKey>>();

  /** Notes what was told about an object. */
  add(key: ObjectKey, told: Fingerprint): void {
    for (const entry of keysOf(told)) {
      const known = this.#byKey.get(entry);
      if (known === undefined) this.#byKey.set(entry, key);
      else if (typeof known !== 'number') {
        if (known.size <= MOST) known.add(key);
      } else if (known !== key) this.#byKey.set(entry, new Set([known, key]));
    }
  }

  /** Objects about which something of this was told, each once, in the order of their keys. */
  candidates(told: Fingerprint): ObjectKey[] {
    const found = new Set<ObjectKey>();
    for (const entry of keysOf(told)) {
      const known = this.#byKey.get(entry);
      if (typeof known === 'number') found.add(known);
      else if (known !== undefined && known.size <= MOST) for (const key of known) found.add(key);
    }
    return [...found].sort((a, b) => a - b);
  }
}
