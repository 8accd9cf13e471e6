import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Errno } from '#relight/base/errno.js';
import { failure } from '#relight/protocol/header.js';
import { operationNamed } from '#relight/protocol/operations.js';
import { RelayHandle } from '#relight/proxy/relay-handle.js';
import { RecordKind, RingConsumer, type RingMemory, ringMemory } from '#relight/proxy/ring.js';
import { close, neverWait, read, setSocketOption, socketpair, write } from '#relight/transport/libc.js';
import { waitReadable } from '#relight/transport/wake.js';

const MAX_MESSAGE = 2 << 20;
const SO_SNDBUF = 7;

/** A relay between two socket pairs: `kernel` and `server` are the far ends. */
interface Rig {
  readonly relay: RelayHandle;
  readonly memory: RingMemory;
  readonly kernel: number;
  readonly server: number;
}

const rigs: Rig[] = [];

const rig = async (
  options: { ringBytes?: number; drop?: boolean; sendBuffer?: number } = {},
): Promise<Rig> => {
  const device = socketpair(true);
  const channel = socketpair(true);
  if (typeof device === 'number' || typeof channel === 'number') throw new Error('no sockets');
  if (options.sendBuffer !== undefined) setSocketOption(channel[0], SO_SNDBUF, options.sendBuffer);
  const memory = ringMemory(options.ringBytes ?? 8 << 20);
  const relay = await RelayHandle.start({ ring: memory, cpus: undefined, drop: options.drop ?? false });
  relay.connect({ device: device[1], channel: channel[0], maxMessage: MAX_MESSAGE });
  const made = { relay, memory, kernel: device[0], server: channel[1] };
  rigs.push(made);
  return made;
};

afterEach(async () => {
  for (const { relay, kernel, server } of rigs.splice(0)) {
    await relay.stop();
    close(kernel);
    close(server);
  }
});

const message = (unique: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(unique & 0xff, 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setBigUint64(8, BigInt(unique), true);
  return bytes;
};

const WRITE = operationNamed('WRITE').opcode;

const request = (unique: number, { opcode, length }: { opcode: number; length: number }): Uint8Array => {
  const bytes = message(unique, length);
  new DataView(bytes.buffer).setUint32(4, opcode, true);
  return bytes;
};

const take = (fd: number): Uint8Array => {
  if (!waitReadable(fd, 5000)) throw new Error('nothing came');
  const buffer = new Uint8Array(MAX_MESSAGE);
  return buffer.slice(0, Math.max(0, read(fd, buffer, buffer.length)));
};

const put = (fd: number, bytes: Uint8Array): void => {
  expect(write(fd, bytes, bytes.length)).toBe(bytes.length);
};

/** Sends requests until none is taken for a while; how many were. */
const fill = async (kernel: number): Promise<number> => {
  let sent = 0;
  for (let idle = 0; idle < 5; ) {
    const bytes = message(2 * (sent + 1), 4096);
    if (write(kernel, bytes, bytes.length) === bytes.length) sent++;
    else {
      idle++;
      await sleep(20);
    }
  }
  return sent;
};

const recorded = ({ memory }: Rig, count: number): { kind: number; bytes: Uint8Array }[] => {
  const consumer = new RingConsumer(memory);
  const out: { kind: number; bytes: Uint8Array }[] = [];
  for (const deadline = Date.now() + 5000; out.length < count && Date.now() < deadline; ) {
    const record = consumer.peek();
    if (record === undefined) consumer.sleep(1);
    else {
      out.push({ kind: record.kind, bytes: record.bytes.slice() });
      consumer.release();
    }
  }
  return out;
};

test('forwards both ways, unchanged and in order, and records each message before its answer', async () => {
  const made = await rig();
  for (const unique of [2, 4, 6]) {
    put(made.kernel, message(unique, 56));
    expect(take(made.server)).toEqual(message(unique, 56));
    put(made.server, message(unique, 120));
    expect(take(made.kernel)).toEqual(message(unique, 120));
  }
  const kinds = recorded(made, 6).map(({ kind }) => kind);
  expect(kinds).toEqual([1, 2, 1, 2, 1, 2]);
});

test('puts a reply together that splice had cut into packets', async () => {
  const made = await rig();
  const reply = message(2, 16 + 32 * 4096);
  put(made.server, reply.subarray(0, 61_456));
  put(made.server, reply.subarray(61_456, 61_456 + 65_536));
  put(made.server, reply.subarray(61_456 + 65_536));
  expect(take(made.kernel)).toEqual(reply);
});

test('takes a reply whose length is a lie for what it is', async () => {
  const made = await rig();
  const lie = message(2, 200);
  new DataView(lie.buffer).setUint32(0, 0xffff_ffff, true);
  put(made.server, lie);
  expect(take(made.kernel)).toEqual(lie);
  put(made.server, message(4, 16));
  expect(take(made.kernel)).toEqual(message(4, 16));
});

test('replies still pass while a server that does not read blocks the requests', async () => {
  const made = await rig();
  neverWait(made.kernel);
  const requests = await fill(made.kernel);
  expect(requests).toBeGreaterThan(10);
  put(made.server, message(2, 16));
  expect(take(made.kernel)).toEqual(message(2, 16));
  for (let i = 1; i <= requests; i++) expect(take(made.server)).toEqual(message(2 * i, 4096));
});

test('counts what it had to keep out of the trace, and marks the place', async () => {
  const made = await rig({ ringBytes: 1 << 20, drop: true });
  const total = 12;
  for (let i = 1; i <= total; i++) {
    put(made.kernel, message(2 * i, 128 << 10));
    take(made.server);
  }
  const before = recorded(made, 1).length;
  const rest = recorded(made, 100_000).length;
  put(made.kernel, message(100, 64));
  take(made.server);
  const [mark, last] = recorded(made, 2);
  expect(mark?.kind).toBe(RecordKind.dropped);
  expect(last?.bytes).toEqual(message(100, 64));
  const lost = Number(new DataView(mark?.bytes.buffer ?? new ArrayBuffer(8)).getBigUint64(0, true));
  expect(before + rest + lost).toBe(total);
  expect((await made.relay.stop()).dropped).toBe(lost);
});

test('says that the server is gone, and closes the device', async () => {
  const made = await rig();
  close(made.server);
  expect(await made.relay.ended).toBe('serverGone');
  expect(take(made.kernel)).toHaveLength(0);
});

test('passes on what a server said before it died with requests unread', async () => {
  const made = await rig();
  for (const unique of [2, 4, 6]) put(made.kernel, message(unique, 56));
  expect(take(made.server)).toEqual(message(2, 56));
  await sleep(100);
  put(made.server, message(2, 120));
  close(made.server);
  expect(take(made.kernel)).toEqual(message(2, 120));
  expect(await made.relay.ended).toBe('serverGone');
});

test('answers a request with EIO that the channel is too small for', async () => {
  const made = await rig({ sendBuffer: 64 << 10 });
  put(made.kernel, request(2, { opcode: WRITE, length: 210_000 }));
  expect(take(made.kernel)).toEqual(failure(2n, Errno.EIO));
  put(made.kernel, request(4, { opcode: WRITE, length: 4096 }));
  expect(take(made.server)).toEqual(request(4, { opcode: WRITE, length: 4096 }));
  const [lost, next] = recorded(made, 2);
  expect(lost?.kind).toBe(RecordKind.dropped);
  expect(next?.bytes).toEqual(request(4, { opcode: WRITE, length: 4096 }));
});

test('splits a BATCH_FORGET that is longer than the buffer that a server may read with', async () => {
  const made = await rig();
  const batch = request(2, { opcode: operationNamed('BATCH_FORGET').opcode, length: 48 + 16 * 1000 });
  new DataView(batch.buffer).setUint32(40, 1000, true);
  put(made.kernel, batch);
  const pieces = [take(made.server), take(made.server)];
  expect(pieces.map((piece) => piece.length)).toEqual([8192 - (8192 % 16), 48 + 16 * (1000 - 509)]);
  expect(recorded(made, 2).map(({ bytes }) => bytes)).toEqual(pieces);
});

test('passes a reply of another thread on that comes between the pieces of one', async () => {
  const made = await rig();
  const reply = message(2, 16 + 32 * 4096);
  put(made.server, reply.subarray(0, 61_456));
  put(made.server, message(4, 120));
  expect(take(made.kernel)).toEqual(message(4, 120));
  put(made.server, reply.subarray(61_456, 61_456 + 65_536));
  put(made.server, reply.subarray(61_456 + 65_536));
  expect(take(made.kernel)).toEqual(reply);
});
