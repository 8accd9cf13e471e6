/** Sizes, lengths and offsets around the boundaries that servers compute with. Which fields are such is said by the layouts. */

import type { Rng } from '../../../base/rng.js';
import type { Operation } from '../../../protocol/operations.js';
import { recordSize } from '../../../protocol/parts.js';
import type { Cast } from '../../cast.js';
import type { Mutator } from '../../mutator.js';
import { type RequestField, requestFields } from '../../request-fields.js';
import type { Seed } from '../../seed.js';
import { editing, withNumberAt } from '../editing.js';

const family = 'size';

const fieldsOf = (
  { op }: Seed,
  { negotiated }: Cast,
  wanted: (field: RequestField) => boolean,
): readonly RequestField[] => requestFields(op, negotiated).filter(wanted);

const edited = (
  { bytes }: Seed,
  field: RequestField | undefined,
  value: bigint | undefined,
): Uint8Array | undefined =>
  field === undefined || value === undefined ? undefined : withNumberAt(bytes, field, value);

/** Field that says how much room there is for the answer. */
const roomField = ({ replyRoom }: Operation): string | undefined =>
  replyRoom !== undefined && 'field' in replyRoom ? replyRoom.field : undefined;

/** Field that counts bytes that follow in the request. */
const countsBytes = ({ request }: Operation, name: string): boolean =>
  request.some((part) => 'length' in part && part.length === name);

/** Bytes of the first record of a listing, whose name has one byte; 0 for other answers. */
const recordOf = ({ reply }: Operation): number => {
  const records = reply?.find((part) => part.kind === 'records');
  return records === undefined ? 0 : recordSize(records.of.size + 1);
};

/** Around what servers compute with: nothing, one record, a page, the most that was negotiated, signs. */
const rooms = (op: Operation, { negotiated }: Cast): readonly number[] => {
  const record = recordOf(op);
  const most = negotiated.maxWrite;
  const around = record === 0 ? [2, 7] : [record - 1, record, record + 1, 2 * record - 1];
  return [0, 1, ...around, 4095, 4096, 4097, most, most + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
};

const NEGATIVE: readonly bigint[] = [(1n << 64n) - 1n, (1n << 64n) - 4096n, 1n << 63n];
const HUGE: readonly bigint[] = [(1n << 63n) - 1n, (1n << 62n) + 1n, 1n << 40n, 1n << 32n, (1n << 32n) - 1n];
const SMALL: readonly bigint[] = [0n, 1n, 4095n, 4097n];

const isPosition = ({ spec }: RequestField): boolean => spec === 'offset' || spec === 'length';

/** What is only read, or copied from what there is, may be asked for without end; what is written could fill the disk. */
const positions = ({ effect, header }: Operation): readonly bigint[] =>
  effect === 'none' || header === 'source' ? [...NEGATIVE, ...HUGE, ...SMALL] : [...NEGATIVE, ...SMALL];

/** Mutators of numbers that measure. */
export const numbers: readonly Mutator[] = [
  editing({
    name: 'room',
    family,
    weight: 4,
    why: 'the room for an answer is anything from nothing to all, and answers must fit',
    sendable: true,
    edit: (seed, cast, rng) => {
      const room = roomField(seed.op);
      const [field] = fieldsOf(seed, cast, ({ name }) => name === room);
      return edited(seed, field, BigInt(rng.pick(rooms(seed.op, cast)) ?? 0));
    },
  }),
  editing({
    name: 'payload-more',
    family,
    weight: 3,
    why: 'a size of data that is believed reads beyond the end of the message',
    sendable: false,
    edit: (seed, cast, rng) =>
      withPayloadSize(seed, cast, rng, [1, 4096, 0x10_0000, 0x7fff_ffff, 0xffff_ff00]),
  }),
  editing({
    name: 'payload-less',
    family,
    weight: 2,
    why: 'data beyond the size that is told must be left alone',
    sendable: false,
    edit: (seed, cast, rng) => withPayloadSize(seed, cast, rng, [-1, -8]),
  }),
  editing({
    name: 'position',
    family,
    weight: 4,
    why: 'offsets and lengths are signed to some and not to others, and their sum turns over',
    sendable: true,
    edit: (seed, cast, rng) =>
      edited(seed, rng.pick(fieldsOf(seed, cast, isPosition)), rng.pick(positions(seed.op))),
  }),
];

const withPayloadSize = (
  seed: Seed,
  cast: Cast,
  rng: Rng,
  changes: readonly number[],
): Uint8Array | undefined => {
  const [field] = fieldsOf(seed, cast, ({ name }) => countsBytes(seed.op, name));
  if (field === undefined) return undefined;
  const now = new DataView(seed.bytes.buffer, seed.bytes.byteOffset).getUint32(field.offset, true);
  const change = rng.pick(changes) ?? 0;
  return now + change < 0 ? undefined : edited(seed, field, BigInt(Math.min(now + change, 0xffff_ffff)));
};
