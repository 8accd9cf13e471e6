import { describe, expect, it } from 'vitest';
import { uniqueOf } from '#relight/protocol/header.js';
import { Asking, isAside } from '#relight/replay/asking.js';

const questions = (count: number): Uint8Array[] => Array.from({ length: count }, () => new Uint8Array(40));

/** A reply is known by its unique alone. */
const replyTo = (request: Uint8Array, mark = 0): Uint8Array => {
  const reply = new Uint8Array(17);
  reply.set(request.subarray(8, 16), 8);
  reply[16] = mark;
  return reply;
};

const sendAll = (asking: Asking): Uint8Array[] => {
  const sent: Uint8Array[] = [];
  for (let next = asking.next(); next !== undefined; next = asking.next()) sent.push(next);
  return sent;
};

describe('questions in flight together', () => {
  it('have uniques that no virtual kernel gives, one after the other', () => {
    const [first, second] = sendAll(new Asking(questions(2), 6));
    expect(uniqueOf(first ?? new Uint8Array(16))).toBe((0x0010_0000n << 32n) + 6n);
    expect(uniqueOf(second ?? new Uint8Array(16))).toBe((0x0010_0000n << 32n) + 8n);
    expect(isAside(replyTo(first ?? new Uint8Array(16)))).toBe(true);
    expect(isAside(replyTo(new Uint8Array(40)))).toBe(false);
  });

  it('find their replies in whatever order they come', () => {
    const asking = new Asking(questions(3), 2);
    const sent = sendAll(asking);
    for (const index of [2, 0, 1]) asking.take(replyTo(sent[index] ?? new Uint8Array(40), index));
    expect(asking.isDone).toBe(true);
    expect(asking.answers('none').map((reply) => reply !== 'none' && reply[16])).toEqual([0, 1, 2]);
  });

  it('wait for each other when the depth says so', () => {
    const asking = new Asking(questions(2), 2, 1);
    const [first = new Uint8Array(40), ...more] = sendAll(asking);
    expect(more).toEqual([]);
    asking.take(replyTo(first));
    expect(sendAll(asking)).toHaveLength(1);
    expect(asking.isDone).toBe(false);
  });

  it('leave out what answers nobody: earlier questions, second replies, what was not asked yet', () => {
    const asking = new Asking(questions(2), 10, 1);
    const [first = new Uint8Array(40)] = sendAll(asking);
    const [earlier = new Uint8Array(40), later = new Uint8Array(40)] = sendAll(new Asking(questions(2), 4));
    asking.take(replyTo(earlier));
    asking.take(replyTo(later));
    asking.take(replyTo(first, 1));
    asking.take(replyTo(first, 2));
    expect(asking.answers('died').map((reply) => (reply === 'died' ? reply : reply[16]))).toEqual([
      1,
      'died',
    ]);
  });
});
