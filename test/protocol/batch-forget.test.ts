import { expect, test } from 'vitest';
import { mostForgets, splitBatchForget } from '#relight/protocol/batch-forget.js';
import { decodeRequest } from '#relight/protocol/decode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { operationNamed } from '#relight/protocol/operations.js';

const batch = (count: number): Uint8Array => {
  const bytes = new Uint8Array(48 + 16 * count);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, operationNamed('BATCH_FORGET').opcode, true);
  view.setBigUint64(8, 77n, true);
  view.setUint32(40, count, true);
  for (let i = 0; i < count; i++) {
    view.setBigUint64(48 + 16 * i, BigInt(1000 + i), true);
    view.setBigUint64(56 + 16 * i, 1n, true);
  }
  return bytes;
};

const itemsOf = (bytes: Uint8Array): readonly { nodeid: bigint }[] => {
  const decoded = decodeRequest(bytes, newestNegotiated);
  if (decoded.kind !== 'request' || decoded.name !== 'BATCH_FORGET') throw new Error(decoded.kind);
  expect(decoded.fields.count).toBe(decoded.fields.items.length);
  return decoded.fields.items;
};

test('the smallest buffer of a server is FUSE_MIN_READ_BUFFER, or a WRITE of the greatest length', () => {
  expect(mostForgets(4096)).toBe((8192 - 48) / 16);
  expect(mostForgets(131_072)).toBe((131_072 + 80 - 48) / 16);
});

test('a short batch stays what it is', () => {
  const bytes = batch(3);
  expect(splitBatchForget(bytes, 3)).toEqual([bytes]);
});

test('a long one becomes several, each forget once and in order', () => {
  const pieces = splitBatchForget(batch(11), 4);
  expect(pieces.map((piece) => itemsOf(piece).length)).toEqual([4, 4, 3]);
  expect(pieces.flatMap((piece) => itemsOf(piece).map(({ nodeid }) => nodeid))).toEqual(
    Array.from({ length: 11 }, (_, i) => BigInt(1000 + i)),
  );
});

test('a count that is larger than the message brings no more than there is', () => {
  const bytes = batch(5);
  new DataView(bytes.buffer).setUint32(40, 0xffff_ffff, true);
  expect(splitBatchForget(bytes, 4).map((piece) => itemsOf(piece).length)).toEqual([4, 1]);
});
