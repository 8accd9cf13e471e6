import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTrace } from '#relight/trace/reader.js';
import { repairTrace } from '#relight/trace/repair.js';
import { context, conversation, framesIn, reading, reply, request, written } from './support.js';

describe('a trace that was closed', () => {
  it.each(['none', 'deflate', 'brotli'] as const)('gives every frame back with codec %s', (codec) => {
    const path = written((writer) => conversation(writer, 3000), { codec, blockBytes: 16_384 });
    const frames = framesIn(path);
    expect(frames).toHaveLength(6000);
    expect(frames.map((frame) => frame.seq)).toEqual(frames.map((_, i) => i));
    const seven = frames[14];
    expect(Buffer.from(seven?.bytes ?? [])).toEqual(request(1, 16n, 8n, Buffer.from('name-7\0')));
    expect(seven).toMatchObject({
      direction: 'toServer',
      incarnation: 0,
      length: 47,
      timeNs: context.startTimeNs + 70_000n,
    });
    expect(Buffer.from(frames[15]?.bytes ?? [])).toEqual(reply(16n, new Uint8Array(0), 2));
  });

  it('keeps what was said about the recording', () => {
    const init = {
      incarnation: 0,
      timeNs: 5n,
      offered: request(26, 2n, 0n),
      sent: request(26, 2n, 0n),
      reply: reply(2n),
      written: reply(2n),
      changes: [{ text: 'cleared OVER_IO_URING', bits: 1n << 41n }],
    };
    const range = {
      start: 0x5000n,
      end: 0xffff_ffff_ffff_f000n,
      permissions: 'rw-p',
      offset: 0n,
      path: '[heap]',
    };
    const path = written((writer) => {
      writer.mount({
        timeNs: 1n,
        point: '/mnt',
        fstype: 'fuse.x',
        source: 'x',
        flags: 6n,
        options: 'allow_other',
      });
      writer.startIncarnation({ incarnation: 0, timeNs: 2n, pid: 42, aslr: 'on' });
      writer.init(init);
      writer.maps({ incarnation: 0, timeNs: 3n, ranges: [range] });
      writer.maps({ incarnation: 0, timeNs: 4n, ranges: [range] });
      writer.append('toServer', 6n, request(3, 4n, 9n));
      writer.endIncarnation({ incarnation: 0, timeNs: 7n, signal: 11, stderr: ['a', 'b'] });
      writer.startIncarnation({ incarnation: 1, timeNs: 8n, pid: 43, aslr: 'off' });
      writer.append('toServer', 9n, request(3, 4n, 9n));
    });
    reading(path, (trace) => {
      expect(trace.header).toMatchObject({ ...context, formatVersion: 1, part: 0, firstSeq: 0 });
      expect(trace.mounts).toEqual([
        expect.objectContaining({ point: '/mnt', options: 'allow_other', flags: 6n }),
      ]);
      expect(trace.incarnations[0]).toMatchObject({
        start: { pid: 42, aslr: 'on' },
        init: { changes: init.changes },
      });
      expect(trace.incarnations[0]?.end).toMatchObject({ signal: 11, stderr: ['a', 'b'], nextSeq: 1 });
      expect(trace.incarnations[0]?.end?.inFlight).toEqual([
        { unique: 4n, opcode: 3, nodeid: 9n, seq: 0, timeNs: 6n },
      ]);
      expect(trace.incarnations[1]).toMatchObject({ start: { aslr: 'off', firstSeq: 1 } });
      expect(trace.maps(0)).toEqual([{ incarnation: 0, timeNs: 3n, ranges: [range] }]);
      expect([...trace.frames({ incarnation: 1 })].map((frame) => frame.seq)).toEqual([1]);
      expect(trace.ending).toMatchObject({ frames: 2, lost: 0, failure: '', continued: false });
    });
  });

  it('numbers lost frames too', () => {
    const path = written((writer) => {
      conversation(writer, 2);
      writer.dropped(10);
      conversation(writer, 1);
      writer.dropped(5);
    });
    expect(framesIn(path).map((frame) => frame.seq)).toEqual([0, 1, 2, 3, 14, 15]);
    reading(path, (trace) => expect(trace.dropped).toBe(15));
  });
});

describe('a trace whose writer was killed', () => {
  it('opens with the last block lost, says so, and is repaired', () => {
    const path = written((writer) => conversation(writer, 3000), { blockBytes: 16_384 });
    const whole = readFileSync(path);
    const [lastBut2, last] = reading(path, (trace) => trace.blocks.slice(-2));
    writeFileSync(path, whole.subarray(0, (last?.offset ?? 0) + 300));
    const before = reading(path, (trace) => {
      expect(trace.hasIndex).toBe(false);
      expect(trace.damage).toEqual([
        { offset: last?.offset, bytes: 300, reason: 'the file ends inside a record', frames: last?.count },
      ]);
      expect([...trace.frames()].at(-1)?.seq).toBe((lastBut2?.firstSeq ?? 0) + (lastBut2?.count ?? 0) - 1);
      return { frames: trace.frameCount, damage: trace.damage };
    });
    expect(repairTrace(path)).toEqual({ isChanged: true, ...before });
    expect(repairTrace(path)).toEqual({ isChanged: false, ...before });
    const trace = openTrace(path);
    expect(trace.hasIndex).toBe(true);
    expect(trace.frameCount).toBe(before.frames);
    trace.close();
  });
});
