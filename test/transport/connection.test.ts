import { afterEach, expect, test } from 'vitest';
import { Connection } from '#relight/transport/connection.js';
import { close, getSocketOption, setSocketOption, socketpair, write } from '#relight/transport/libc.js';

const SO_SNDBUF = 7;
const MAX_MESSAGE = 1 << 20;

/** A connection and the server's end of its channel. */
interface Rig {
  readonly connection: Connection;
  readonly server: number;
}

const connections: Connection[] = [];

const rig = (): Rig & { readonly ours: number } => {
  const pair = socketpair(true);
  if (typeof pair === 'number') throw new Error('no sockets');
  const connection = new Connection(pair[0], MAX_MESSAGE);
  connections.push(connection);
  return { connection, ours: pair[0], server: pair[1] };
};

afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});

const message = (unique: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(unique & 0xff, 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setBigUint64(8, BigInt(unique), true);
  return bytes;
};

const put = (fd: number, bytes: Uint8Array): void => {
  expect(write(fd, bytes, bytes.length)).toBe(bytes.length);
};

/** All that is there, and how it ended. */
const drain = (connection: Connection): readonly [Uint8Array[], string] => {
  const messages: Uint8Array[] = [];
  const take = (bytes: Uint8Array): boolean => messages.push(bytes.slice()) > 0;
  let how = connection.receive(take, 20);
  while (how === 'taken') how = connection.receive(take, 20);
  return [messages, how];
};

test('tells a message that never fits from a channel that is full and one that is closed', () => {
  const { connection, ours, server } = rig();
  setSocketOption(ours, SO_SNDBUF, 16 << 10);
  const room = getSocketOption(ours, SO_SNDBUF);
  expect(connection.send(message(2, 2 * room))).toBe('tooLong');
  expect(connection.send(message(2, 100))).toBe('sent');
  let sent = 0;
  while (connection.send(message(4, 4096)) === 'sent') expect(sent++).toBeLessThan(1000);
  expect(connection.send(message(4, 4096))).toBe('full');
  close(server);
  drain(connection);
  expect(connection.send(message(6, 100))).toBe('closed');
});

test('gives what a server said before it died with requests unread', () => {
  const { connection, server } = rig();
  connection.send(message(2, 56));
  connection.send(message(4, 56));
  put(server, message(2, 120));
  put(server, message(4, 16));
  close(server);
  expect(drain(connection)).toEqual([[message(2, 120), message(4, 16)], 'closed']);
});

test('gives a reply of another thread that comes between the pieces of one', () => {
  const { connection, server } = rig();
  const reply = message(2, 16 + 32 * 4096);
  put(server, reply.subarray(0, 61_456));
  put(server, message(4, 120));
  put(server, reply.subarray(61_456, 61_456 + 65_536));
  put(server, reply.subarray(61_456 + 65_536));
  expect(drain(connection)[0]).toEqual([message(4, 120), reply]);
  close(server);
});
