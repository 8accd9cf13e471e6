/** Names that are no names: without an end, empty, too long, with a slash, the dots. */

import type { Rng } from '../../../base/rng.js';
import { requestContent } from '../../../protocol/content-sites.js';
import type { Cast } from '../../cast.js';
import { scratchNames } from '../../made-up.js';
import type { Mutator } from '../../mutator.js';
import type { Seed } from '../../seed.js';
import { editing, withOwnLength } from '../editing.js';

const family = 'size';

/** NAME_MAX, one more, FUSE_NAME_MAX up to Linux 6.16, the longest path. */
const lengths: readonly number[] = [254, 255, 256, 257, 1023, 1024, 1025, 4094, 4095, 4096];

/** Where one of the names or paths of a request stands, without its NUL. */
const nameIn = ({ op, bytes }: Seed, { negotiated }: Cast, rng: Rng) => {
  const names = new Set(op.request.flatMap((part) => (part.kind === 'name' ? [part.field] : [])));
  return rng.pick(requestContent(bytes, op, negotiated).filter(({ field }) => names.has(field)));
};

const withName = (seed: Seed, cast: Cast, rng: Rng, name: Uint8Array): Uint8Array | undefined => {
  const found = nameIn(seed, cast, rng);
  if (found === undefined) return undefined;
  const { bytes } = seed;
  return withOwnLength(Buffer.concat([bytes.subarray(0, found.start), name, bytes.subarray(found.end)]));
};

/** Names that lead elsewhere; only to what cases made themselves. */
const elsewhere = (rng: Rng): string => {
  const [one = '', two = ''] = rng.shuffle(scratchNames);
  return rng.pick([`${one}/${two}`, `../${one}`, `/${one}`, `${one}/`, '/', '//', `./${one}`]) ?? '/';
};

/** Mutators of names. */
export const names: readonly Mutator[] = [
  editing({
    name: 'name-open',
    family,
    weight: 3,
    why: 'a name without its NUL goes on into whatever was in the buffer before',
    sendable: false,
    edit: (seed, cast, rng) => {
      const found = nameIn(seed, cast, rng);
      return found && withOwnLength(seed.bytes.subarray(0, found.end));
    },
  }),
  editing({
    name: 'name-empty',
    family,
    weight: 2,
    why: 'an empty name is the directory itself to many system calls',
    sendable: false,
    edit: (seed, cast, rng) => withName(seed, cast, rng, new Uint8Array(0)),
  }),
  editing({
    name: 'name-long',
    family,
    weight: 3,
    why: 'names up to 255 bytes are lawful, longer ones overflow buffers that were made for those',
    sendable: true,
    edit: (seed, cast, rng) => withName(seed, cast, rng, Buffer.alloc(rng.pick(lengths) ?? 255, 'n')),
  }),
  editing({
    name: 'name-slash',
    family,
    weight: 2,
    why: 'a name with a slash leads out of the directory when it is put behind its path',
    sendable: false,
    edit: (seed, cast, rng) => withName(seed, cast, rng, Buffer.from(elsewhere(rng))),
  }),
  editing({
    name: 'name-dots',
    family,
    weight: 2,
    why: 'kernels look the dots up to find a node of an exported file system again',
    sendable: true,
    // Whatever removes or moves a name must not be led to the directory itself.
    edit: (seed, cast, rng) =>
      seed.op.effect === 'none'
        ? withName(seed, cast, rng, Buffer.from(rng.pick(['.', '..']) ?? '.'))
        : undefined,
  }),
];
