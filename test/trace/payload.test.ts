import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PayloadMode } from '#relight/trace/context.js';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { isFilterError, parseFilter } from '#relight/trace/filter.js';
import { wireBytes } from '#relight/trace/frame.js';
import { context, framesIn, reading, written } from './support.js';
import { Talk } from './talk.js';

const secret = Buffer.from('secret contents of a file');

const record = (payload: PayloadMode): string =>
  written(
    (writer) => {
      const talk = new Talk(writer);
      talk.lookup(1n, 'name', 2n);
      talk.open(2n, 7n);
      talk.read(2n, 7n, secret);
      talk.write(2n, 7n, secret);
      talk.ask('SETXATTR', 2n, { size: secret.length, flags: 0, name: 'user.x', value: secret });
      const probe = { size: 0 };
      talk.answer(
        'GETXATTR',
        talk.ask('GETXATTR', 2n, { ...probe, name: 'user.x' }),
        { size: 25 },
        5n,
        probe,
      );
      const get = { size: 100 };
      talk.answer(
        'GETXATTR',
        talk.ask('GETXATTR', 2n, { ...get, name: 'user.x' }),
        { value: secret },
        5n,
        get,
      );
    },
    { context: { ...context, payload } },
  );

const full = framesIn(record({ kind: 'full' }));

describe('payload modes', () => {
  it('full keeps every byte', () => {
    expect(full.every(({ bytes, length }) => bytes.length === length)).toBe(true);
  });

  it.each([
    [{ kind: 'none' }, 0],
    [{ kind: 'first', bytes: 6 }, 6],
    [{ kind: 'hash' }, 0],
  ] as const)('%o cuts contents and nothing else', (payload, most) => {
    const path = record(payload);
    const frames = framesIn(path);
    expect(frames.map(({ length }) => length)).toEqual(full.map(({ length }) => length));
    const cut = frames.filter(({ bytes, length }) => bytes.length < length);
    // READ, WRITE, SETXATTR and the second GETXATTR; the first only asked for a size.
    expect(cut).toHaveLength(4);
    for (const { bytes, length } of cut) expect(length - bytes.length).toBe(secret.length - most);
    for (const [i, frame] of frames.entries())
      expect(
        Buffer.from(full[i]?.bytes ?? [])
          .subarray(0, frame.bytes.length)
          .equals(frame.bytes),
      ).toBe(true);
    const digest = createHash('sha256').update(secret).digest();
    for (const one of cut)
      if (payload.kind === 'hash') expect(Buffer.from(one.digest ?? []).equals(digest)).toBe(true);
      else expect(one.digest).toBeUndefined();
    reading(path, (trace) => {
      expect(trace.header.payload).toEqual(payload);
      for (const { message } of decodedFrames(trace)) expect(message.kind).not.toBe('decodeError');
    });
  });

  it('a cut frame has its length on the wire again, with zeroes', () => {
    const read = framesIn(record({ kind: 'none' })).find(({ bytes, length }) => bytes.length < length);
    if (read === undefined) throw new Error('nothing was cut');
    const whole = wireBytes(read);
    expect(whole).toHaveLength(read.length);
    expect(whole.subarray(read.bytes.length).every((byte) => byte === 0)).toBe(true);
  });
});

describe('recording with a filter', () => {
  const kept = (text: string): string[] => {
    const filter = parseFilter(text);
    if (isFilterError(filter)) throw new Error(filter.message);
    const path = written(
      (writer) => {
        const talk = new Talk(writer);
        talk.lookup(1n, 'a', 2n);
        talk.fail(talk.ask('LOOKUP', 1n, { name: 'b' }), 2);
        talk.read(2n, 7n, Buffer.alloc(3000));
        talk.read(2n, 7n, Buffer.alloc(10));
      },
      { filter },
    );
    return reading(path, (trace) => [...decodedFrames(trace)].map(({ op, kind }) => `${op} ${kind}`));
  };

  it('keeps whole exchanges where the request decides', () => {
    expect(kept('op==READ')).toEqual(['READ request', 'READ reply', 'READ request', 'READ reply']);
    expect(kept('name=="b"')).toEqual(['LOOKUP request', 'LOOKUP reply']);
  });

  it('keeps exchanges whose reply could still match, so that no request seems unanswered', () => {
    const lookups = ['LOOKUP request', 'LOOKUP reply', 'LOOKUP request', 'LOOKUP reply'];
    expect(kept('op==LOOKUP && error==ENOENT')).toEqual(lookups);
    expect(kept('op==LOOKUP && length>2k')).toEqual(lookups);
    expect(kept('kind==notification && op==LOOKUP')).toEqual(lookups);
  });
});
