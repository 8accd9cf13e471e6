import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { NotificationWriter } from '#relight/proxy/notification-writer.js';
import { close, fcntl, read, socketpair, write } from '#relight/transport/libc.js';

const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** A device whose writes block, and the kernel's end of it. */
const device = (): readonly [near: number, far: number] => {
  const pair = socketpair(true);
  if (typeof pair === 'number') throw new Error('no sockets');
  return pair;
};

const notification = (mark: number): Uint8Array => new Uint8Array(64).fill(mark, 16);

const takeMark = (fd: number): number => {
  const bytes = new Uint8Array(4096);
  expect(read(fd, bytes, bytes.length)).toBeGreaterThan(0);
  return bytes[16] ?? 0;
};

test('a notification is written before the call returns', () => {
  const [near, far] = device();
  const writer = new NotificationWriter(near);
  for (const mark of [1, 2, 3]) {
    expect(writer.write(notification(mark))).toBe(64);
    expect(takeMark(far)).toBe(mark);
  }
  writer.close();
  close(near);
  close(far);
});

test('one that the kernel does not take at once holds nobody up, and keeps its place', async () => {
  const [near, far] = device();
  fcntl(near, F_SETFL, O_NONBLOCK);
  const filler = new Uint8Array(4096);
  let fillers = 0;
  while (write(near, filler, filler.length) > 0) fillers++;
  fcntl(near, F_SETFL, 0);
  const writer = new NotificationWriter(near);
  const startedMs = performance.now();
  expect([1, 2, 3].map((mark) => writer.write(notification(mark)))).toEqual([0, 0, 0]);
  expect(performance.now() - startedMs).toBeLessThan(1500);
  for (let i = 0; i < fillers; i++) takeMark(far);
  await sleep(50);
  expect([takeMark(far), takeMark(far), takeMark(far)]).toEqual([1, 2, 3]);
  writer.close();
  close(near);
  close(far);
});

test('a device that refuses says why', () => {
  const [near, far] = device();
  close(far);
  const writer = new NotificationWriter(near);
  expect(writer.write(notification(1))).toBeLessThan(0);
  writer.close();
  close(near);
});
