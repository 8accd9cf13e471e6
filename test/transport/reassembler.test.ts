import { expect, test } from 'vitest';
import { Reassembler } from '#relight/transport/reassembler.js';

const FIRST = 16 + 15 * 4096;

const message = (unique: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(0xa5, 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setBigUint64(8, BigInt(unique), true);
  return bytes;
};

const fresh = (): Reassembler => new Reassembler(new Uint8Array(1 << 20));

/** What comes out, packet by packet. */
const fed = (...packets: Uint8Array[]): (Uint8Array | undefined)[] => {
  const reassembler = fresh();
  return packets.map((packet) => reassembler.take(packet)?.slice());
};

const long = message(2, 16 + 40_000 + 20 * 4096);
const pieces = [long.subarray(0, FIRST), long.subarray(FIRST)];

test('a message in one packet is that packet', () => {
  const packet = message(2, 120);
  expect(fresh().take(packet)).toBe(packet);
});

test('a message in several comes with the last', () => {
  const whole = message(2, 16 + 32 * 4096);
  const last = FIRST + 65_536;
  expect(fed(whole.subarray(0, FIRST), whole.subarray(FIRST, last), whole.subarray(last))).toEqual([
    undefined,
    undefined,
    whole,
  ]);
});

test.each([16, 120, 160, 4096, 8192])('a whole message of %i bytes passes between the pieces', (length) => {
  const other = message(4, length);
  expect(fed(...pieces.slice(0, 1), other, ...pieces.slice(1))).toEqual([undefined, other, long]);
});

test('so does one that is as long as the rest, and a notification', () => {
  const other = message(4, long.length - FIRST);
  const notice = message(0, 40);
  expect(fed(...pieces.slice(0, 1), other, notice, ...pieces.slice(1))).toEqual([
    undefined,
    other,
    notice,
    long,
  ]);
});

test('a length that is a lie begins nothing', () => {
  const lie = message(2, FIRST);
  new DataView(lie.buffer).setUint32(0, 0xffff_ffff, true);
  expect(fed(lie)).toEqual([lie]);
});

test('pieces that were read into place stay there', () => {
  const reassembler = fresh();
  for (const piece of pieces) {
    const at = reassembler.have;
    reassembler.buffer.set(piece, at);
    const done = reassembler.take(reassembler.buffer.subarray(at, at + piece.length));
    if (done !== undefined) expect(done).toEqual(long);
  }
  expect(reassembler.have).toBe(0);
});

test('a message whose rest does not come can be had as it is', () => {
  const reassembler = fresh();
  reassembler.take(message(2, 16 + 20 * 4096).subarray(0, FIRST));
  expect(reassembler.giveUp()).toHaveLength(FIRST);
  expect(reassembler.have).toBe(0);
});
