import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decompress } from '#relight/trace/compression.js';
import { relight } from '#relight/trace/generated/schema.js';
import { context, conversation, framesIn, reading, reply, request, written } from './support.js';

const { Envelope, Frames } = relight.trace;
const MAGIC_BYTES = 8;

/** The records of a file, as any protobuf library finds them. */
const records = (bytes: Uint8Array): { message: Uint8Array; envelope: relight.trace.Envelope }[] => {
  const found = [];
  const reader = protobuf.Reader.create(bytes.subarray(MAGIC_BYTES));
  while (reader.pos < reader.len) {
    const message = reader.bytes();
    found.push({ message, envelope: Envelope.decode(message) });
  }
  return found;
};

/** Any session: directions, sizes, times that run backwards, drops, cut payload. */
const sessions = fc.array(
  fc.oneof(
    fc.record({
      toKernel: fc.boolean(),
      opcode: fc.constantFrom(1, 3, 15, 16, 26, 36, 9999),
      unique: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      nodeid: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      size: fc.oneof(fc.nat(300), fc.constantFrom(0, 5000, 262_144 - 40, 300_000)),
      step: fc.oneof(fc.bigInt(-5000n, 100_000n), fc.constantFrom(0n, 1n << 40n, 1n << 52n)),
      flush: fc.boolean(),
    }),
    fc.record({ drop: fc.integer({ min: 1, max: 1 << 30 }) }),
  ),
  { maxLength: 40 },
);

const sameStart = (bytes: Uint8Array, length: number, sent: readonly Buffer[]): boolean =>
  sent.some((one) => one.length === length && one.subarray(0, bytes.length).equals(bytes));

describe('what the writer makes by hand', () => {
  it.each(['none', 'deflate', 'brotli'] as const)(
    'is byte for byte what the generated code makes (%s)',
    (codec) => {
      fc.assert(
        fc.property(sessions, fc.constantFrom('full', 'hash', 'none'), (session, kind) => {
          let timeNs = 1n << 60n;
          const sent: Buffer[] = [];
          const path = written(
            (writer) => {
              for (const event of session) {
                if ('drop' in event) {
                  writer.dropped(event.drop);
                  continue;
                }
                timeNs += event.step;
                const body = Buffer.alloc(event.size, 'abc');
                const bytes = event.toKernel
                  ? reply(event.unique, body, event.opcode & 1)
                  : request(event.opcode, event.unique, event.nodeid, body);
                sent.push(bytes);
                writer.append(event.toKernel ? 'toKernel' : 'toServer', timeNs, bytes);
                if (event.flush) writer.flush();
              }
            },
            { codec, context: { ...context, payload: { kind } }, blockBytes: 8192 },
          );
          for (const { message, envelope } of records(readFileSync(path))) {
            expect(Buffer.from(Envelope.encode(envelope).finish()).equals(message)).toBe(true);
            expect(envelope.crc32).toBe(crc32(message.subarray(14), crc32(message.subarray(1, 9))));
            const block = envelope.block;
            if (block?.head == null || block.stored == null) continue;
            const raw = decompress(block.head.codec ?? 0, block.stored, block.head.rawLength ?? 0);
            const inner = Frames.decode(raw ?? new Uint8Array(0));
            expect(Buffer.from(Frames.encode(inner).finish()).equals(raw ?? new Uint8Array(1))).toBe(true);
          }
          const frames = framesIn(path);
          expect(frames.map(({ bytes, length }) => sameStart(bytes, length, sent))).not.toContain(false);
          expect(frames).toHaveLength(sent.length);
          expect(frames.map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
          reading(path, (trace) => expect(trace.damage).toEqual([]));
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('a few lines with any protobuf library', () => {
  it('read frames out of a trace', async () => {
    const path = written((writer) => conversation(writer, 10), { codec: 'none' });
    const { root } = await protobuf.load(new URL('../../proto/trace.proto', import.meta.url).pathname);
    const type = root.lookupType('relight.trace.Envelope');
    const reader = protobuf.Reader.create(readFileSync(path).subarray(MAGIC_BYTES));
    const kinds: string[] = [];
    let data = 0;
    while (reader.pos < reader.len) {
      const envelope = type.toObject(type.decodeDelimited(reader), { oneofs: true });
      kinds.push(String(envelope['record']));
      if (envelope['record'] !== 'block') continue;
      const frames = root.lookupType('relight.trace.Frames').decode(envelope['block'].stored);
      data += root.lookupType('relight.trace.Frames').toObject(frames)['data'].length;
    }
    expect(kinds).toEqual(['header', 'block', 'header', 'index', 'end', 'trailer']);
    expect(data).toBe(framesIn(path).reduce((sum, { bytes }) => sum + bytes.length, 0));
  });
});

describe('size', () => {
  it('uncompressed stays below 1.15 of the frames, index included, and compressed below 0.35', () => {
    const size = (codec: 'none' | 'brotli' | 'deflate'): number => {
      let wire = 0;
      const path = written(
        (writer) => {
          conversation(writer, 20_000);
          wire = writer.status().wireBytes;
        },
        { codec },
      );
      return readFileSync(path).length / wire;
    };
    expect(size('none')).toBeLessThan(1.15);
    expect(size('brotli')).toBeLessThan(0.35);
    expect(size('deflate')).toBeLessThan(0.35);
  });
});

describe('decompression', () => {
  it('never gives more than was announced', () => {
    const bomb = Buffer.alloc(8 << 20);
    expect(
      decompress(2, brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }), 1000),
    ).toBeUndefined();
    expect(decompress(1, deflateRawSync(bomb), 1000)).toBeUndefined();
    expect(decompress(1, deflateRawSync(bomb), 0)).toBeUndefined();
    expect(decompress(1, Buffer.from('nonsense'), 1000)).toBeUndefined();
    expect(decompress(7, Buffer.alloc(10), 10)).toBeUndefined();
    expect(decompress(0, Buffer.alloc(10), 11)).toBeUndefined();
  });
});
