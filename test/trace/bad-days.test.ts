import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RelightError } from '#relight/base/error.js';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { partPath } from '#relight/trace/part-path.js';
import type { Sink } from '#relight/trace/sink.js';
import { createSink } from '#relight/trace/sink.js';
import { createTrace, TraceWriter } from '#relight/trace/writer.js';
import {
  context,
  conversation,
  framesIn,
  freshPath,
  reading,
  readingPart,
  request,
  written,
} from './support.js';
import { Talk } from './talk.js';

const noSpace = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

/** A disk with so many bytes; a write that does not fit leaves what did. What is cut away is free again. */
class SmallDisk {
  #used = 0;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  sink(path: string): Sink {
    const file = createSink(path);
    let length = 0;
    return {
      write: (chunks) => {
        for (const chunk of chunks) {
          const room = Math.min(chunk.length, this.#size - this.#used);
          file.write([chunk.subarray(0, room)]);
          this.#used += room;
          length += room;
          if (room < chunk.length) throw noSpace();
        }
      },
      truncate: (size) => {
        this.#used -= length - size;
        length = size;
        file.truncate(size);
      },
      close: () => file.close(),
      discard: () => {
        this.#used -= length;
        file.discard();
      },
    };
  }
}

describe('a disk that fills up', () => {
  it('ends the trace cleanly at any byte, and never throws', () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 60_000 }), (size) => {
        const path = freshPath();
        const disk = new SmallDisk(size);
        const writer = new TraceWriter(() => disk.sink(path), { context, codec: 'none', blockBytes: 4096 });
        writer.startIncarnation({ incarnation: 0, timeNs: 1n, pid: 1, aslr: 'on' });
        conversation(writer, 600);
        writer.endIncarnation({ incarnation: 0, timeNs: 1n, stderr: [] });
        const status = writer.close();
        expect(writer.close()).toEqual(status);
        expect(status.failure).toBe('ENOSPC: no space left on device');
        expect(status.frames + status.lost).toBe(1200);
        const frames = framesIn(path);
        expect(frames.map(({ seq }) => seq)).toEqual(Array.from({ length: status.frames }, (_, i) => i));
        reading(path, (trace) => {
          expect(trace.damage).toEqual([]);
          if (trace.ending !== undefined)
            expect(trace.ending.failure).toBe('ENOSPC: no space left on device');
          if (trace.hasIndex) expect(trace.ending?.frames).toBe(status.frames);
        });
        expect(statSync(path).size).toBeLessThanOrEqual(size);
      }),
      { numRuns: 60 },
    );
  });

  it('usually has room for the end, which says so', () => {
    const path = freshPath();
    const disk = new SmallDisk(30_000);
    const writer = new TraceWriter(() => disk.sink(path), { context, codec: 'none', blockBytes: 4096 });
    conversation(writer, 600);
    writer.close();
    reading(path, ({ ending, hasIndex }) => {
      expect(hasIndex).toBe(true);
      expect(ending).toMatchObject({ failure: 'ENOSPC: no space left on device', continued: false });
      expect(ending?.lost).toBeGreaterThan(0);
    });
  });

  it('is an error for people when not even the header fits', () => {
    expect(() => createTrace('/dev/full', { context })).toThrow(
      expect.objectContaining({
        code: 'environment',
        message: 'cannot write /dev/full: no space left on device',
      }),
    );
    expect(existsSync('/dev/full')).toBe(true);
  });

  it('is the same while a rotated trace begins its next part', () => {
    const path = freshPath();
    const disk = new SmallDisk(70_000);
    const writer = new TraceWriter((part) => disk.sink(partPath(path, part)), {
      context,
      codec: 'none',
      rotateBytes: 33_000,
    });
    conversation(writer, 2000);
    const { failure, parts } = writer.close();
    expect(failure).toContain('ENOSPC');
    const all = framesIn(path);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i));
    expect(existsSync(partPath(path, parts))).toBe(false);
  });
});

describe('a path that cannot be written', () => {
  it.each([
    ['/nowhere/t.rlt', 'usage', /^cannot write \/nowhere\/t.rlt: no such file or directory$/],
    ['/tmp', 'usage', /^cannot write \/tmp: illegal operation on a directory$/],
  ])('%s', (path, code, message) => {
    let error: unknown;
    try {
      createTrace(path, { context });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(RelightError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('a rotated trace', () => {
  const path = freshPath();
  const writer = createTrace(path, { context, codec: 'none', rotateBytes: 40_000 });
  writer.startIncarnation({ incarnation: 0, timeNs: 1n, pid: 5, aslr: 'on' });
  writer.mount({ timeNs: 2n, point: '/mnt', fstype: 'fuse', source: 's', flags: 0n, options: '' });
  const heap = { start: 1n << 40n, end: 1n << 41n, permissions: 'rw-p', offset: 0n, path: '' };
  writer.maps({ incarnation: 0, timeNs: 3n, ranges: [heap] });
  const talk = new Talk(writer);
  const slow = talk.ask('SETLKW', 7n, { fh: 1n });
  for (let i = 0; i < 1000; i++) talk.lookup(1n, `name-${i}`, BigInt(i + 2));
  talk.fail(slow, 4);
  writer.dropped(2);
  writer.maps({ incarnation: 0, timeNs: 4n, ranges: [heap, { ...heap, start: 1n << 42n, end: 1n << 43n }] });
  for (let i = 0; i < 300; i++) talk.lookup(1n, `more-${i}`, BigInt(i + 2));
  writer.endIncarnation({ incarnation: 0, timeNs: 9n, exitCode: 0, stderr: [] });
  const { parts, frames } = writer.close();
  const paths = Array.from({ length: parts }, (_, part) => partPath(path, part));

  it('has every frame once, in files of about the size', () => {
    expect(parts).toBeGreaterThan(4);
    const all = paths.flatMap((part) => readingPart(part, (trace) => [...trace.frames()]));
    expect(all).toHaveLength(frames);
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(frames);
    for (const part of paths) expect(statSync(part).size).toBeLessThan(41_000);
    expect(statSync(path).size).toBeGreaterThan(30_000);
  });

  it('has what was said in each part', () => {
    for (const [part, one] of paths.entries()) {
      readingPart(one, (trace) => {
        expect(trace.header).toMatchObject({ part, argv: context.argv });
        expect(trace.header.traceId).toEqual(readingPart(path, ({ header }) => header.traceId));
        expect(trace.header.firstSeq).toBe(trace.blocks[0]?.firstSeq);
        expect(trace.mounts).toHaveLength(1);
        expect(trace.incarnations[0]?.start?.pid).toBe(5);
        expect(trace.maps(0).at(-1)?.ranges).toContainEqual(heap);
        expect(trace.ending?.continued).toBe(part < parts - 1);
      });
    }
  });

  it('knows the requests of earlier parts', () => {
    const answered = paths.flatMap((one) =>
      readingPart(one, (trace) =>
        [...decodedFrames(trace)].filter((frame) => frame.unique === slow && frame.kind === 'reply'),
      ),
    );
    expect(answered).toHaveLength(1);
    expect(answered[0]).toMatchObject({ op: 'SETLKW', nodeid: 7n, error: 4 });
    const unknown = paths.flatMap((one) =>
      readingPart(one, (trace) => [...decodedFrames(trace)].filter(({ op }) => op === undefined)),
    );
    expect(unknown).toEqual([]);
  });

  it('is one trace from its first part on', () => {
    reading(path, (trace) => {
      expect(trace).toMatchObject({ frameCount: frames, dropped: 2, hasIndex: true, damage: [] });
      expect(trace.parts.map((part) => part.path)).toEqual(paths);
      expect(trace.mounts).toHaveLength(1);
      expect(trace.incarnations).toMatchObject([{ start: { pid: 5 }, end: { exitCode: 0 } }]);
      expect(trace.maps(0).map(({ timeNs }) => timeNs)).toEqual([3n, 4n]);
      expect(trace.ending?.continued).toBe(false);
      const seqs = [...trace.frames()].map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.map((_, i) => (i < 2002 ? i : i + 2)));
      expect([...trace.frames({ fromSeq: 2000, toSeq: 2006 })].map(({ seq }) => seq)).toEqual([
        2000, 2001, 2004, 2005,
      ]);
      const unpaired = [...decodedFrames(trace)].filter(({ request }) => request?.frame === undefined);
      expect(unpaired).toEqual([]);
    });
  });

  it('is a later part alone when that is asked for', () => {
    reading(partPath(path, 1), (trace) => {
      expect(trace.parts).toEqual([trace]);
      expect(trace.header.part).toBe(1);
      expect(trace.ending?.continued).toBe(true);
    });
  });

  it('ends before a part that is missing, or left from another recording', () => {
    const copy = freshPath();
    for (const part of [0, 1, 3]) copyFileSync(partPath(path, part), partPath(copy, part));
    const partsRead = () => reading(copy, (trace) => trace.parts.length);
    expect(partsRead()).toBe(2);
    copyFileSync(partPath(path, 3), partPath(copy, 2));
    expect(partsRead()).toBe(2);
    const other = written((one) => conversation(one, 2), { start: { part: 2, firstSeq: 0, waiting: [] } });
    copyFileSync(other, partPath(copy, 2));
    expect(partsRead()).toBe(2);
    writeFileSync(partPath(copy, 2), 'no trace');
    expect(partsRead()).toBe(2);
    copyFileSync(partPath(path, 2), partPath(copy, 2));
    expect(partsRead()).toBe(4);
  });

  it('goes on when a part was cut', () => {
    const copy = freshPath();
    for (let part = 0; part < parts; part++) copyFileSync(partPath(path, part), partPath(copy, part));
    truncateSync(partPath(copy, 1), statSync(partPath(copy, 1)).size - 5000);
    reading(copy, (trace) => {
      expect(trace.parts).toHaveLength(parts);
      expect(trace.hasIndex).toBe(false);
      expect(trace.damage.length).toBeGreaterThan(0);
      expect(trace.frameCount).toBeLessThan(frames);
    });
  });
});

describe('a server that writes garbage', () => {
  it('is recorded as it is', () => {
    const path = freshPath();
    const writer = createTrace(path, { context });
    const garbage = [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(16, 0xff), Buffer.alloc(70_000, 0xee)];
    for (const bytes of garbage) writer.append('toKernel', 5n, bytes);
    writer.append('toServer', 5n, request(0xffff_ffff, (1n << 64n) - 1n, 0n));
    writer.close();
    expect(framesIn(path).map(({ bytes }) => bytes.length)).toEqual([0, 3, 16, 70_000, 56]);
    const decoded = reading(path, (trace) =>
      [...decodedFrames(trace)].map(({ kind, op, message }) => [kind, op, message.kind]),
    );
    expect(decoded.slice(0, 3)).toEqual([
      ['malformed', undefined, 'decodeError'],
      ['malformed', undefined, 'decodeError'],
      ['reply', undefined, 'decodeError'],
    ]);
    expect(decoded[4]?.slice(0, 2)).toEqual(['request', 'OP_4294967295']);
    expect(readFileSync(path).length).toBeGreaterThan(0);
  });
});
