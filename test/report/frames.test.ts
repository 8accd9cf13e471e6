/** Golden: the lines and objects of `show` for a small conversation whose ids and times are fixed. */

import { describe, expect, it } from 'vitest';
import { frameJson } from '#relight/report/frame-json.js';
import { frameLine } from '#relight/report/frame-line.js';
import { plain } from '#relight/report/plain.js';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { context, reading, written } from '../trace/support.js';
import { Talk } from '../trace/talk.js';

const same = (text: string): string => text;
const paint = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };

const session = written((writer) => {
  const talk = new Talk(writer);
  talk.lookup(1n, 'a.txt', 0x7f00_1234_5678n, 42n);
  talk.fail(talk.ask('LOOKUP', 1n, { name: 'mis\x1b[31msing' }), 2);
  talk.open(0x7f00_1234_5678n, 3n);
  talk.read(0x7f00_1234_5678n, 3n, Buffer.from('hello'), 2_000_000n);
  talk.ask('FORGET', 0x7f00_1234_5678n, { nlookup: 1n });
  talk.invalidate(1n, 'a.txt');
  writer.append('toServer', talk.timeNs, Uint8Array.of(1, 2, 3));
  writer.append('toKernel', talk.timeNs, Buffer.from('100000000000000099000000000000ff', 'hex'));
});

const lines = (width: number | undefined): string[] =>
  reading(session, (trace) =>
    [...decodedFrames(trace)].map((frame) =>
      frameLine(frame, { startTimeNs: context.startTimeNs, width, paint }),
    ),
  );

const objects = () => reading(session, (trace) => [...decodedFrames(trace)].map(frameJson));

describe('a line of show', () => {
  it('says number, time, direction, latency and meaning', () => {
    expect(lines(undefined)).toMatchInlineSnapshot(`
      [
        "     0   0.000010 →        LOOKUP #2 node 1 name="a.txt"",
        "     1   0.000015 ←    5µs LOOKUP #2 = OK nodeid=0x7f0012345678 generation=1 entryValid=0 attrValid=0 attr={ino=42 size=0 blocks=0 atime=0 mtime=0 ctime=0 mode=0100644 nlink=1 uid=0 gid=0 rdev=0 blksize=0 flags=0}",
        "     2   0.000025 →        LOOKUP #4 node 1 name="mis\\u001b[31msing"",
        "     3   0.000030 ←    5µs LOOKUP #4 = ENOENT",
        "     4   0.000040 →        OPEN #6 node 0x7f0012345678 flags=0 openFlags=0",
        "     5   0.000045 ←    5µs OPEN #6 = OK fh=3 openFlags=0 backingId=0",
        "     6   0.000055 →        READ #8 node 0x7f0012345678 fh=3 offset=0 size=4096 readFlags=0 lockOwner=0 flags=0",
        "     7   0.002055 ←    2ms READ #8 = OK data=5 bytes",
        "     8   0.002065 →        FORGET #10 node 0x7f0012345678 nlookup=1",
        "     9   0.002066 ←        NOTIFY_INVAL_ENTRY parent=1 namelen=5 flags=0 name="a.txt"",
        "    10   0.002066 →        request needs 40 bytes at offset 0, has 3",
        "    11   0.002066 ←        reply #18374686479671623833 = OK body=0 bytes",
      ]
    `);
  });

  it('is cut at the width of the terminal', () => {
    expect(lines(60).map((line) => line.length)).toSatisfy((all: number[]) => Math.max(...all) === 60);
    expect(lines(60)[1]).toMatch(/…$/);
  });

  it('cannot steer a terminal', () => {
    expect(lines(undefined).join('')).not.toMatch(/\p{Cc}/u);
    expect(plain('a\x1b[2Jb\u009bc\u202ed')).toBe('a\\x1b[2Jb\\x9bc\\u202ed');
  });
});

describe('a line of show --json', () => {
  it('has the promised fields', () => {
    const all = objects();
    expect([0, 3, 9, 10].map((seq) => all[seq])).toMatchInlineSnapshot(`
      [
        {
          "direction": "toServer",
          "error": null,
          "incarnation": 0,
          "length": 46,
          "nodeid": "1",
          "op": "LOOKUP",
          "request": {
            "caller": {
              "gid": 100,
              "pid": 77,
              "uid": 1000,
            },
            "name": "a.txt",
          },
          "seq": 0,
          "timeNs": "1700000000123466789",
          "unique": "2",
        },
        {
          "direction": "toKernel",
          "error": 2,
          "errorName": "ENOENT",
          "incarnation": 0,
          "latencyNs": 5000,
          "length": 16,
          "nodeid": "1",
          "op": "LOOKUP",
          "reply": {},
          "seq": 3,
          "timeNs": "1700000000123486789",
          "unique": "4",
        },
        {
          "direction": "toKernel",
          "error": null,
          "incarnation": 0,
          "length": 38,
          "nodeid": null,
          "notification": {
            "flags": 0,
            "name": "a.txt",
            "namelen": 5,
            "parent": "1",
          },
          "op": "NOTIFY_INVAL_ENTRY",
          "seq": 9,
          "timeNs": "1700000000125522789",
          "unique": null,
        },
        {
          "decodeError": "request needs 40 bytes at offset 0, has 3",
          "direction": "toServer",
          "error": null,
          "incarnation": 0,
          "length": 3,
          "nodeid": null,
          "op": null,
          "seq": 10,
          "timeNs": "1700000000125522789",
          "unique": null,
        },
      ]
    `);
  });

  it('has u64 as decimal strings, contents as base64, latencies as numbers', () => {
    expect(objects()[7]).toMatchObject({
      ...{ error: 0, latencyNs: 2_000_000, nodeid: '139638282147448' },
      reply: { data: 'aGVsbG8=' },
    });
  });
});
