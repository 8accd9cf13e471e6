/** pcapng, block by block as its specification lays them out. */

import { expect, it } from 'vitest';
import { capturedPacket, captureHead, MAX_CAPTURED } from '#relight/report/pcapng.js';

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** Takes a file apart; both lengths of each block must agree. */
const blocksOf = (file: Buffer): Block[] => {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(file.readUInt32LE(at + length - 4)).toBe(length);
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
};

/** Options by their codes, from an offset of a block's body. */
const optionsOf = (body: Buffer, from: number): Map<number, Buffer> => {
  const options = new Map<number, Buffer>();
  for (let at = from; body.readUInt16LE(at) !== 0; ) {
    const length = body.readUInt16LE(at + 2);
    options.set(body.readUInt16LE(at), body.subarray(at + 4, at + 4 + length));
    at += 4 + ((length + 3) & ~3);
  }
  return options;
};

const head = { comment: 'bindfs', application: 'relight', operatingSystem: 'Linux', interfaceName: '/mnt' };
const timeNs = 1_700_000_000_123_456_789n;

it('begins with a section and an interface of link type USER0 with nanoseconds', () => {
  const [section, device, ...rest] = blocksOf(Buffer.from(captureHead(head)));
  expect(rest).toEqual([]);
  expect(section?.type).toBe(0x0a0d0d0a);
  expect(section?.body.readUInt32LE(0)).toBe(0x1a2b3c4d);
  expect(
    optionsOf(section?.body ?? Buffer.alloc(0), 16)
      .get(1)
      ?.toString(),
  ).toBe('bindfs');
  expect(device?.type).toBe(1);
  expect(device?.body.readUInt16LE(0)).toBe(147);
  const options = optionsOf(device?.body ?? Buffer.alloc(0), 8);
  expect(options.get(2)?.toString()).toBe('/mnt');
  expect([...(options.get(9) ?? [])]).toEqual([9]);
});

it.each([
  ['toServer', 1],
  ['toKernel', 2],
] as const)('a frame %s is a packet with time, both lengths, direction and comment', (direction, flag) => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  const packet = capturedPacket({ timeNs, direction, bytes, length: 4101, comment: 'WRITE #2' });
  const [block] = blocksOf(Buffer.from(packet));
  const body = block?.body ?? Buffer.alloc(0);
  expect(block?.type).toBe(6);
  expect((BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8))).toBe(timeNs);
  expect([body.readUInt32LE(12), body.readUInt32LE(16)]).toEqual([5, 4101]);
  expect([...body.subarray(20, 25)]).toEqual([1, 2, 3, 4, 5]);
  const options = optionsOf(body, 28);
  expect(options.get(1)?.toString()).toBe('WRITE #2');
  expect(options.get(2)?.readUInt32LE(0)).toBe(flag);
});

it('cuts what Wireshark would refuse', () => {
  const bytes = new Uint8Array(MAX_CAPTURED + 1);
  const packet = capturedPacket({ timeNs, direction: 'toServer', bytes, length: bytes.length, comment: '' });
  const body = blocksOf(Buffer.from(packet))[0]?.body;
  expect([body?.readUInt32LE(12), body?.readUInt32LE(16)]).toEqual([MAX_CAPTURED, MAX_CAPTURED + 1]);
});
