/** Mutators that leave the ids of a request right and change its other bytes. */

import type { Rng } from '../../base/rng.js';
import { aimed, single } from '../aim.js';
import type { MutatorFamily } from '../case.js';
import type { Cast } from '../cast.js';
import type { Mutator } from '../mutator.js';
import type { Seed } from '../seed.js';

/** A mutator of bytes. */
export interface EditingRow {
  /** Without the family. */
  readonly name: string;
  readonly family: MutatorFamily;
  readonly weight: number;
  readonly why: string;
  readonly sendable: boolean;
  /** Ids that a server may take as given back, such as those of a FORGET with too many lookups. */
  readonly spare?: boolean;
  /** Other bytes for the seed's; absent when it has nothing of the kind. The seed's own must not be written to. */
  readonly edit: (seed: Seed, cast: Cast, rng: Rng) => Uint8Array | undefined;
}

/** A mutator that edits bytes. */
export const editing = ({ edit, spare = false, ...row }: EditingRow): Mutator => {
  const name = `${row.family}.${row.name}`;
  const { family, weight, why, sendable } = row;
  return {
    name,
    family,
    weight,
    why,
    sendable,
    make: (seed, cast, rng) => {
      const bytes = edit(seed, cast, rng);
      const aim = bytes && aimed(seed, { cast, rng, spare });
      if (bytes === undefined || aim === undefined) return undefined;
      const patches = aim.patches.filter(({ offset }) => offset + 8 <= bytes.length);
      return single(seed, { mutator: name, ...aim, bytes, patches });
    },
  };
};

/** A copy with a number at a place, cut to as many bytes as the place has. */
export const withNumberAt = (bytes: Uint8Array, { offset, size }: NumberPlace, value: bigint): Uint8Array => {
  // Not slice(): of a Buffer that would be a view.
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  if (size === 8) view.setBigUint64(offset, value, true);
  else if (size === 4) view.setUint32(offset, Number(value & 0xffff_ffffn), true);
  else view.setUint16(offset, Number(value & 0xffffn), true);
  return copy;
};

/** Bytes of a frame that hold a number. */
export interface NumberPlace {
  readonly offset: number;
  readonly size: number;
}

/** The length that the header tells. */
export const LENGTH: NumberPlace = { offset: 0, size: 4 };

/** A copy that says how long it is. */
export const withOwnLength = (bytes: Uint8Array): Uint8Array =>
  bytes.length < LENGTH.size ? new Uint8Array(bytes) : withNumberAt(bytes, LENGTH, BigInt(bytes.length));
