import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordKind, RingConsumer, RingProducer, ringMemory } from '#relight/proxy/ring.js';

const SIZE = 4096;
const LARGEST = 512;

const put = (producer: RingProducer, bytes: Uint8Array, refused = 0): boolean => {
  const at = producer.reserve(LARGEST, false);
  if (at < 0) return false;
  producer.bytes.set(bytes, at);
  producer.commit(bytes.length, { kind: RecordKind.toServer, timeNs: BigInt(bytes.length), refused });
  return true;
};

test('records come out as they went in, in order, whatever their sizes', () => {
  const frames = fc.array(fc.uint8Array({ minLength: 0, maxLength: LARGEST }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.boolean()), (sent, drain) => {
      const memory = ringMemory(SIZE);
      const producer = new RingProducer(memory);
      const consumer = new RingConsumer(memory);
      const received: Uint8Array[] = [];
      const take = (): boolean => {
        const record = consumer.peek();
        if (record === undefined) return false;
        expect(record.timeNs).toBe(BigInt(record.bytes.length));
        received.push(record.bytes.slice());
        consumer.release();
        return true;
      };
      for (const frame of sent) {
        while (!put(producer, frame)) expect(take()).toBe(true);
        if (drain.next().value) take();
      }
      while (take());
      expect(received).toEqual(sent);
    }),
  );
});

test('a full ring takes nothing when it may not wait, and everything again once there is room', () => {
  const memory = ringMemory(SIZE);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  const frame = new Uint8Array(LARGEST);
  let taken = 0;
  while (put(producer, frame)) taken++;
  expect(taken).toBe(Math.floor(SIZE / (LARGEST + 24)));
  expect(consumer.pressure()).toBeGreaterThan(0.8);
  consumer.peek();
  consumer.release();
  expect(put(producer, frame)).toBe(true);
});

test('the refusal of the kernel travels with the frame', () => {
  const memory = ringMemory(SIZE);
  put(new RingProducer(memory), Uint8Array.of(1, 2, 3), 22);
  expect(new RingConsumer(memory).peek()).toMatchObject({ refused: 22, kind: RecordKind.toServer });
});

test('the ring has ended when the producer closed it and everything was taken', () => {
  const memory = ringMemory(SIZE);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  put(producer, Uint8Array.of(1));
  producer.close();
  expect(consumer.ended()).toBe(false);
  consumer.peek();
  consumer.release();
  expect(consumer.ended()).toBe(true);
});
