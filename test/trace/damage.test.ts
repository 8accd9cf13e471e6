import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { Kind, MAGIC } from '#relight/trace/format.js';
import type { Frame } from '#relight/trace/frame.js';
import { relight } from '#relight/trace/generated/schema.js';
import { openTrace } from '#relight/trace/reader.js';
import { sealRecord } from '#relight/trace/record.js';
import { repairTrace } from '#relight/trace/repair.js';
import { context, conversation, framesIn, freshPath, reading, request, written } from './support.js';

const original = written(
  (writer) => {
    writer.startIncarnation({ incarnation: 0, timeNs: 1n, pid: 1, aslr: 'on' });
    writer.mount({ timeNs: 2n, point: '/mnt', fstype: 'fuse', source: 's', flags: 0n, options: '' });
    conversation(writer, 200);
    writer.maps({
      incarnation: 0,
      timeNs: 3n,
      ranges: [{ start: 1n << 40n, end: 1n << 41n, permissions: 'rw-p', offset: 0n, path: '' }],
    });
    conversation(writer, 200, 200);
    writer.endIncarnation({ incarnation: 0, timeNs: 9n, exitCode: 0, stderr: [] });
  },
  { blockBytes: 4096, codec: 'deflate' },
);
const whole = readFileSync(original);
const frames = framesIn(original);
const key = (frame: Frame): string =>
  `${frame.seq} ${frame.timeNs} ${frame.direction} ${Buffer.from(frame.bytes).toString('latin1')}`;
const known = new Set(frames.map(key));

/** What can be read of some bytes; a RelightError when nothing. */
const outcome = (bytes: Uint8Array) => {
  const path = freshPath();
  writeFileSync(path, bytes);
  try {
    return reading(path, (trace) => {
      const read = [...trace.frames()];
      for (const decoded of decodedFrames(trace)) void decoded.op;
      return {
        path,
        read,
        damage: trace.damage,
        hasIndex: trace.hasIndex,
        isTrue: read.every((one) => known.has(key(one))),
      };
    });
  } catch (error) {
    if (error instanceof RelightError) return error;
    throw error;
  }
};

const refusal = (bytes: Uint8Array): string => {
  const result = outcome(bytes);
  if (!(result instanceof RelightError)) throw new Error('it was read');
  expect(result.code).toBe('usage');
  return result.message;
};

describe('a file that is no trace', () => {
  it('is named as what it is', () => {
    expect(refusal(new Uint8Array(0))).toMatch(/is empty$/);
    expect(refusal(Buffer.from('hello'))).toMatch(/is not a relight trace$/);
    expect(refusal(Buffer.alloc(100_000, 7))).toMatch(/is not a relight trace$/);
    expect(refusal(whole.subarray(0, 8))).toMatch(/header is cut or damaged$/);
    expect(refusal(whole.subarray(0, 60))).toMatch(/header is cut or damaged$/);
    const text = Buffer.from(whole);
    text[4] = 0x0a;
    expect(refusal(text)).toMatch(/is not a relight trace$/);
  });

  it('is refused when it might never end, or is not there', () => {
    expect(() => openTrace('/dev/zero')).toThrow(/is not a regular file/);
    expect(() => openTrace(dirname(original))).toThrow(/is not a regular file/);
    expect(() => openTrace('/nowhere/t.rlt')).toThrow(/cannot open \/nowhere\/t.rlt: no such file/);
    const fifo = freshPath();
    execFileSync('mkfifo', [fifo]);
    expect(() => openTrace(fifo)).toThrow(/is not a regular file/);
  });

  it('is refused when it is of a newer format, with the remedy', () => {
    const newer = relight.trace.Header.encode({ formatVersion: 2, relightVersion: '9.9' }).finish();
    const record = sealRecord(Buffer.from('sync4321'), Kind.header, [newer]);
    expect(refusal(Buffer.concat([MAGIC, ...record]))).toMatch(
      /has trace format 2, and this relight reads up to 1$/,
    );
  });
});

describe('a trace that was cut anywhere', () => {
  it('opens with all that was whole, and says what was not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        const result = outcome(whole.subarray(0, length));
        if (result instanceof RelightError) return result.code === 'usage' && length < 400;
        const { read, damage, hasIndex, isTrue } = result;
        const last = frames[read.length - 1];
        const isPrefix = isTrue && (read.length === 0 || read.at(-1)?.seq === last?.seq);
        const torn = damage.reduce((sum, { bytes }) => sum + bytes, 0);
        return isPrefix && !hasIndex && torn < 8192;
      }),
      { numRuns: 100 },
    );
  });
});

describe('a trace with a wrong bit anywhere', () => {
  /** Never a wrong frame; what is lost is said, and is a block at most. Only without its magic it is no trace. */
  const survives = (bit: number): boolean => {
    const bytes = Buffer.from(whole);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const result = outcome(bytes);
    if (result instanceof RelightError) return result.code === 'usage' && bit < 64;
    const lost = frames.length - result.read.length;
    const named = result.damage.reduce((sum, { frames: some = 0 }) => sum + some, 0);
    const isSaid = lost === 0 || (result.damage.length > 0 && named >= lost);
    return result.isTrue && isSaid && lost <= 120;
  };

  it('never shows a wrong frame, says what is lost, and loses a block at most', () => {
    fc.assert(fc.property(fc.nat(whole.length * 8 - 1), survives), { numRuns: 100 });
  });

  it('does so in each byte of the first header and of the end', () => {
    const bytes = [...Array(64).keys(), ...Array.from({ length: 120 }, (_, i) => whole.length - 1 - i)];
    expect(bytes.filter((byte) => !survives(byte * 8 + (byte % 8)))).toEqual([]);
  });
});

describe('any bytes after the magic', () => {
  it('give a trace or a clear error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(whole.length), fc.nat(2000), (noise, at, cut) => {
        outcome(Buffer.concat([whole.subarray(0, 8), noise]));
        outcome(
          Buffer.concat([whole.subarray(0, at), noise, whole.subarray(Math.min(whole.length, at + cut))]),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('repair', () => {
  it('keeps every byte, finds every frame that reading finds, and leaves nothing behind', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 500, max: whole.length - 1 }),
        fc.nat(whole.length * 8 - 1),
        (length, bit) => {
          const bytes = Buffer.from(whole.subarray(0, length));
          if (bit >> 3 < length && bit >> 3 > 500)
            bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const before = outcome(bytes);
          if (before instanceof RelightError) throw before;
          const repair = repairTrace(before.path);
          const after = outcome(readFileSync(before.path));
          if (after instanceof RelightError) throw after;
          expect(repair).toMatchObject({ isChanged: true, frames: before.read.length });
          expect(after.read.map(key)).toEqual(before.read.map(key));
          expect(after.hasIndex).toBe(true);
          expect(after.damage).toEqual(before.damage);
          expect(readFileSync(before.path).subarray(0, length).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
    expect(readdirSync(dirname(original)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('takes the header from its copy', () => {
    const bytes = Buffer.from(whole);
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    const path = freshPath();
    writeFileSync(path, bytes.subarray(0, -1));
    expect(repairTrace(path).isChanged).toBe(true);
    expect(readFileSync(path).subarray(0, 500).equals(whole.subarray(0, 500))).toBe(true);
    expect(framesIn(path)).toHaveLength(frames.length);
  });

  it('leaves a trace as it was when the copy cannot be made', () => {
    const path = freshPath();
    writeFileSync(path, whole.subarray(0, -10));
    mkdirSync(`${path}.${process.pid}.tmp`);
    expect(() => repairTrace(path)).toThrow(RelightError);
    expect(readFileSync(path).equals(whole.subarray(0, -10))).toBe(true);
  });
});

describe('a trace recorded inside a trace', () => {
  it('is not taken for the outer one after damage', () => {
    const path = written(
      (writer) => {
        for (let i = 0; i < 8; i++)
          writer.append('toServer', BigInt(i), request(16, BigInt(i), 1n, whole.subarray(0, 6000)));
      },
      { codec: 'none', blockBytes: 4096 },
    );
    const bytes = readFileSync(path);
    const second = reading(path, (trace) => trace.blocks[1]);
    bytes[(second?.offset ?? 0) + 1] = 0x7f;
    const damaged = freshPath();
    writeFileSync(damaged, bytes.subarray(0, -1));
    expect(framesIn(damaged).map((frame) => frame.seq)).toEqual([0, 2, 3, 4, 5, 6, 7]);
    reading(damaged, (trace) => expect(trace.damage[0]).toMatchObject({ offset: second?.offset, frames: 1 }));
  });
});

describe('reading', () => {
  it('does not depend on reading in one go', () => {
    reading(original, (trace) => {
      const [a, b] = [trace.frames({ fromSeq: 500 }), trace.frames({ toSeq: 3 })];
      expect([a.next().value?.seq, b.next().value?.seq, a.next().value?.seq]).toEqual([500, 0, 501]);
      const from = context.startTimeNs + 3_000_000n;
      expect([...trace.frames({ fromTimeNs: from, toTimeNs: from + 20_000n })].map(({ seq }) => seq)).toEqual(
        [600, 601, 602, 603],
      );
      expect(
        [...trace.frames({ fromSeq: 10, toSeq: 14, direction: 'toKernel' })].map(({ seq }) => seq),
      ).toEqual([11, 13]);
    });
  });
});
