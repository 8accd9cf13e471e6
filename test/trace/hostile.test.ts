/** Traces that somebody made to harm: every checksum is right, and the contents lie. */

import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import Long from 'long';
import { describe, expect, it } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import { statsOf } from '#relight/report/stats.js';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { Kind, MAGIC } from '#relight/trace/format.js';
import { relight } from '#relight/trace/generated/schema.js';
import { sealTrailer } from '#relight/trace/part-writer.js';
import { sealRecord } from '#relight/trace/record.js';
import { freshPath, reading } from './support.js';

const { Block, End, Frames, Header, Index } = relight.trace;
const sync = Buffer.from('hostile!');
const header = Buffer.concat(sealRecord(sync, Kind.header, [Header.encode({ formatVersion: 1 }).finish()]));
const end = Buffer.concat(sealRecord(sync, Kind.end, [End.encode({}).finish()]));
const record = (kind: Kind, body: Uint8Array): Buffer => Buffer.concat(sealRecord(sync, kind, [body]));
const block = (head: relight.trace.BlockHead.$Properties, stored: Uint8Array): Buffer =>
  record(Kind.block, Block.encode({ head, stored }).finish());
const frames = (value: relight.trace.Frames.$Properties): Uint8Array => Frames.encode(value).finish();
const long = (value: number): Long => Long.fromNumber(value);

/** Frames and damage of a file; reads and sums up all of it. */
const read = (...pieces: Uint8Array[]) => {
  const path = freshPath();
  writeFileSync(path, Buffer.concat([MAGIC, header, ...pieces]));
  return reading(path, (trace) => {
    const count = [...trace.frames()].length;
    for (const decoded of decodedFrames(trace)) void decoded.requestMessage();
    statsOf(trace);
    return { count, hasIndex: trace.hasIndex, damage: trace.damage.map(({ reason }) => reason) };
  });
};

/** A file with an index of its own. */
const indexed = (index: (at: number) => relight.trace.Index.$Properties, ...pieces: Uint8Array[]) => {
  const at = MAGIC.length + header.length + pieces.reduce((sum, { length }) => sum + length, 0);
  const body = record(Kind.index, Index.encode(index(at)).finish());
  const size = at + body.length + end.length;
  return read(...pieces, body, end, Buffer.concat(sealTrailer(sync, at, size)));
};

describe('a hostile trace', () => {
  it.each([
    ['claims a block of 4 GiB', block({ rawLength: 0xffff_ffff, count: 1 }, new Uint8Array(9))],
    ['claims a billion frames', block({ rawLength: 1 << 20, count: 1 << 30 }, new Uint8Array(9))],
    [
      'unpacks to more than it says',
      block(
        { codec: 2, rawLength: 100, count: 1 },
        brotliCompressSync(Buffer.alloc(1 << 23), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
      ),
    ],
    ['has a codec of the future', record(Kind.block, Buffer.from('0a060809100420011204aabbccdd', 'hex'))],
    [
      'counts more frames than it has',
      (() => {
        const raw = frames({ deltaNs: [long(0)], lengthDirection: [long(8)], data: new Uint8Array(4) });
        return block({ rawLength: raw.length, count: 2 }, raw);
      })(),
    ],
    [
      'has frames longer than its data',
      (() => {
        const raw = frames({ deltaNs: [long(0)], lengthDirection: [long(2 ** 52)], data: new Uint8Array(4) });
        return block({ rawLength: raw.length, count: 1 }, raw);
      })(),
    ],
    [
      'cuts frames of 4 GiB',
      (() => {
        const raw = frames({
          deltaNs: [long(0)],
          lengthDirection: [long(8)],
          cuts: [{ frame: 0, wireLength: 0xffff_ffff }],
          data: new Uint8Array(4),
        });
        return block({ rawLength: raw.length, count: 1 }, raw);
      })(),
    ],
    ['has a block that is no message', record(Kind.block, Buffer.alloc(500, 0xff))],
  ])('%s: the block is damage', (_, piece) => {
    const { count, damage } = read(piece);
    expect(count).toBe(0);
    expect(damage).toEqual(['a block makes no sense']);
  });

  it('has context that is no message: damage', () => {
    const kinds = [Kind.mount, Kind.incarnationStart, Kind.init, Kind.incarnationEnd];
    const { damage } = read(...kinds.map((kind) => record(kind, Buffer.alloc(40, 0xff))));
    expect(damage).toEqual(kinds.map(() => 'a context record is damaged'));
  });

  it('has an index that points in a circle, outside, or back: the file is walked instead', () => {
    const raw = frames({ deltaNs: [long(0)], lengthDirection: [long(8)], data: new Uint8Array(4) });
    const one = block({ rawLength: raw.length, count: 1 }, raw);
    const first = MAGIC.length + header.length;
    const entry = { offset: long(first), length: one.length, head: { rawLength: raw.length, count: 1 } };
    expect(indexed(() => ({ blocks: [entry] }), one)).toMatchObject({ count: 1, hasIndex: true });
    for (const lie of [
      (at: number) => ({ previous: long(at) }),
      () => ({ previous: long(2 ** 50) }),
      () => ({ blocks: [entry, entry] }),
      () => ({ blocks: [{ ...entry, offset: long(2 ** 60) }] }),
      () => ({ blocks: [{ ...entry, head: { rawLength: 1, count: 0x7fff_ffff } }] }),
      () => ({ blocks: [{ ...entry, head: { ...entry.head, firstSeq: long(2 ** 62) } }] }),
    ])
      expect(indexed(lie, one)).toMatchObject({ count: 1, hasIndex: false });
  });

  it('has an index that names a wrong place or length: that block is damage', () => {
    const entry = { offset: long(MAGIC.length), length: header.length, head: { rawLength: 10, count: 1 } };
    expect(indexed(() => ({ blocks: [entry] }))).toMatchObject({
      count: 0,
      damage: ['a block makes no sense'],
    });
  });

  it('has marks of records everywhere, each as long as can be: read in seconds', () => {
    const mark = Buffer.concat([
      Buffer.from([0x80, 0x80, 0x80, 0x01, 9]),
      sync,
      Buffer.from([0x15, 1, 2, 3, 4]),
    ]);
    const started = performance.now();
    const { count, damage } = read(Buffer.concat(Array<Buffer>(150_000).fill(mark)));
    expect(count).toBe(0);
    expect(damage).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('nests its header without end: a clear error', () => {
    const path = freshPath();
    // Start-group tags of an unknown field.
    writeFileSync(
      path,
      Buffer.concat([MAGIC, ...sealRecord(sync, Kind.header, [Buffer.alloc(1 << 20, 0xfb)])]),
    );
    expect(() => reading(path, () => undefined)).toThrow(RelightError);
  });
});
