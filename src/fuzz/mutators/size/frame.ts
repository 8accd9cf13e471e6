/** Frames whose length is not what their header or their operation says. No kernel sends them; a broken transport may. */

import { IN_HEADER_SIZE } from '../../../protocol/header.js';
import type { Mutator } from '../../mutator.js';
import { requestFields } from '../../request-fields.js';
import { editing, LENGTH, withNumberAt, withOwnLength } from '../editing.js';

const family = 'size';
const sendable = false;

/** Bytes of header and fixed part. */
const fixedSize = (...[{ op }, { negotiated }]: Parameters<Mutator['make']>): number =>
  requestFields(op, negotiated).reduce(
    (end, { offset, size }) => Math.max(end, offset + size),
    IN_HEADER_SIZE,
  );

const grown = (bytes: Uint8Array, by: number): Uint8Array => {
  const copy = new Uint8Array(bytes.length + by);
  copy.set(bytes);
  return withOwnLength(copy);
};

/** Mutators of the frame's length. */
export const frames: readonly Mutator[] = [
  editing({
    name: 'header-longer',
    family,
    weight: 2,
    why: 'a length in the header that is believed reads beyond the message',
    sendable,
    edit: ({ bytes }, _cast, rng) => {
      const more = rng.pick([1, 8, 4096, 0x10_0000]) ?? 1;
      return withNumberAt(bytes, LENGTH, BigInt(rng.chance(0.2) ? 0xffff_ffff : bytes.length + more));
    },
  }),
  editing({
    name: 'header-shorter',
    family,
    weight: 2,
    why: 'a length from which the size of the header is subtracted turns over',
    sendable,
    edit: ({ bytes }, _cast, rng) => {
      const shorter = [0, 1, 39, 40, 41, bytes.length - 1].filter((length) => length < bytes.length);
      return withNumberAt(bytes, LENGTH, BigInt(rng.pick(shorter) ?? 0));
    },
  }),
  editing({
    name: 'cut-header',
    family,
    weight: 1,
    why: 'a message without a whole header has nothing that could be answered',
    sendable,
    edit: ({ bytes }, _cast, rng) => withOwnLength(bytes.subarray(0, rng.int(1, IN_HEADER_SIZE - 1))),
  }),
  editing({
    name: 'cut',
    family,
    weight: 3,
    why: 'what is missing of the fixed part is whatever was in the buffer before',
    sendable,
    edit: (seed, cast, rng) => {
      const end = fixedSize(seed, cast, rng);
      if (seed.bytes.length === IN_HEADER_SIZE) return undefined;
      const upTo = rng.chance(0.7) && end > IN_HEADER_SIZE ? end : seed.bytes.length;
      return withOwnLength(seed.bytes.subarray(0, rng.int(IN_HEADER_SIZE, upTo - 1)));
    },
  }),
  editing({
    name: 'longer',
    family,
    weight: 2,
    why: 'newer kernels have longer structs, of which older servers must not make names or data',
    sendable: true,
    edit: ({ bytes }, _cast, rng) => grown(bytes, rng.pick([1, 8, 64, 4096]) ?? 1),
  }),
];
