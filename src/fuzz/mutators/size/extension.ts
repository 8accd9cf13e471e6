/** Extensions of requests whose sizes do not agree with each other, the header or the message. */

import type { Rng } from '../../../base/rng.js';
import { fieldAt } from '../../../protocol/layout.js';
import { EXTLEN_SINCE_MINOR } from '../../../protocol/negotiated.js';
import { extHeader, inHeader, suppGroups } from '../../../protocol/structs.js';
import type { Mutator } from '../../mutator.js';
import { editing, type NumberPlace, withNumberAt, withOwnLength } from '../editing.js';

const family = 'size';
const sendable = false;
/** FUSE_EXT_GROUPS. */
const GROUPS = 32;
/** Units of `total_extlen`. */
const UNIT = 8;

const { offset = 0, size = 0 } = fieldAt(inHeader, 'totalExtlen') ?? {};
const TOTAL: NumberPlace = { offset, size };

/** An extension with no groups whose numbers may lie. */
const groupsRecord = ({ bytes, groups }: { readonly bytes: number; readonly groups: number }): Uint8Array => {
  const record = new Uint8Array(extHeader.size + UNIT * Math.ceil(suppGroups.size / UNIT));
  const view = new DataView(record.buffer);
  view.setUint32(0, bytes, true);
  view.setUint32(4, GROUPS, true);
  view.setUint32(extHeader.size, groups, true);
  return record;
};

const lies = (rng: Rng): { bytes: number; groups: number } => ({
  bytes: rng.pick([0, 1, 7, 8, 15, 24, 0x1000, 0xffff_ffff]) ?? 0,
  groups: rng.pick([0, 2, 0x1000, 0x4000_0000, 0xffff_ffff]) ?? 0,
});

/** Mutators of extensions. */
export const extensions: readonly Mutator[] = [
  editing({
    name: 'extensions-claimed',
    family,
    weight: 1,
    why: 'a total length of extensions that is believed reads beyond the message, or in front of it',
    sendable,
    edit: ({ bytes }, { negotiated }, rng) =>
      negotiated.minor < EXTLEN_SINCE_MINOR
        ? undefined
        : withNumberAt(bytes, TOTAL, BigInt(rng.pick([1, 2, 5, 6, 0x200, 0xffff]) ?? 1)),
  }),
  editing({
    name: 'extension-size',
    family,
    weight: 2,
    why: 'an extension of no size is read for ever, one that is too long beyond the message',
    sendable,
    edit: ({ op, bytes }, { negotiated }, rng) => {
      if (op.extended !== true || negotiated.minor < EXTLEN_SINCE_MINOR) return undefined;
      const record = groupsRecord(lies(rng));
      const whole = new Uint8Array(bytes.length + record.length);
      whole.set(bytes);
      whole.set(record, bytes.length);
      return withNumberAt(withOwnLength(whole), TOTAL, BigInt(record.length / UNIT));
    },
  }),
];
