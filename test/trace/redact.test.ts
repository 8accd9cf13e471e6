import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TraceContext } from '#relight/trace/context.js';
import { type DecodedFrame, decodedFrames } from '#relight/trace/decoded-frames.js';
import { partPath } from '#relight/trace/part-path.js';
import { Pseudonyms } from '#relight/trace/pseudonyms.js';
import { redactTrace } from '#relight/trace/redact.js';
import { context, framesIn, freshPath, reading, reply, written } from './support.js';
import { Talk } from './talk.js';

const key = Buffer.alloc(32, 9);
const private_ = ['diary', 'alice', 'confidential', 'sweetheart'];

const original = (payload: TraceContext['payload'] = { kind: 'full' }): string =>
  written(
    (writer) => {
      writer.mount({
        timeNs: 1n,
        point: '/data/alice/mnt',
        fstype: 'fuse',
        source: '/data/alice/src',
        flags: 0n,
        options: 'ro',
      });
      writer.startIncarnation({ incarnation: 0, timeNs: 2n, pid: 9, aslr: 'on' });
      const range = { start: 4096n, end: 8192n, permissions: 'rw-p', offset: 0n };
      writer.maps({
        incarnation: 0,
        timeNs: 3n,
        ranges: [
          { ...range, path: '/data/alice/server' },
          { ...range, start: 8192n, end: 9999n, path: '/usr/lib/libc.so.6' },
        ],
      });
      const talk = new Talk(writer);
      talk.lookup(1n, 'diary', 2n);
      talk.lookup(1n, 'diary', 2n);
      talk.fail(talk.ask('LOOKUP', 1n, { name: 'other' }), 2);
      writer.dropped(4);
      talk.write(2n, 7n, Buffer.from('confidential'.repeat(100)));
      talk.read(2n, 7n, Buffer.from('confidential'.repeat(100)));
      talk.answer('READDIR', talk.ask('READDIR', 1n, { fh: 4n, size: 4096 }), {
        entries: [
          { ino: 1n, off: 1n, namelen: 2, type: 4, name: '..' },
          { ino: 42n, off: 2n, namelen: 5, type: 8, name: 'diary' },
        ],
      });
      talk.ask('SYMLINK', 1n, { name: 'link', target: '../diary/alice' });
      talk.ask('SETXATTR', 2n, {
        size: 10,
        flags: 0,
        name: 'user.sweetheart',
        value: Buffer.from('sweetheart'),
      });
      talk.invalidate(1n, 'diary');
      writer.append('toKernel', talk.timeNs, reply(0xfff0n, Buffer.from('confidential')));
      writer.endIncarnation({ incarnation: 0, timeNs: 4n, signal: 6, stderr: ['cannot open diary'] });
    },
    {
      context: {
        ...context,
        argv: ['bindfs', '-f', '/data/alice/src', '/data/alice/mnt'],
        cwd: '/data/alice',
        environment: [{ name: 'PATH', value: '/usr/bin:/data/alice/bin' }],
        filter: 'name=="diary"',
        payload,
      },
    },
  );

const redacted = (path: string): string => {
  const out = freshPath();
  reading(path, (trace) => redactTrace(trace, out, key));
  return out;
};

const decode = (path: string): DecodedFrame[] => reading(path, (trace) => [...decodedFrames(trace)]);
const fieldsOf = (frame: DecodedFrame | undefined): Record<string, unknown> =>
  frame !== undefined && 'fields' in frame.message ? { ...frame.message.fields } : {};

/** Anything as text; u64 as decimals. */
const asText = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one));

const source = original();
const path = redacted(source);

describe('a redacted trace', () => {
  it('says nothing private, not even in its header', () => {
    const copy = freshPath();
    reading(source, (trace) => redactTrace(trace, copy, key));
    const text = [...framesIn(copy)].map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('');
    const said = reading(copy, (trace) =>
      asText([trace.header, trace.mounts, trace.incarnations, trace.maps(0)]),
    );
    for (const word of private_) {
      expect(text).not.toContain(word);
      expect(said).not.toContain(word);
    }
    expect(readFileSync(path).includes('alice')).toBe(false);
  });

  it('has the same frames: length, time, number, direction, decoded', () => {
    const shape = (from: string) =>
      decode(from).map(({ frame, op, kind, error, nodeid, message }) => [
        frame.seq,
        frame.timeNs,
        frame.direction,
        frame.length,
        frame.bytes.length,
        op,
        kind,
        error,
        nodeid,
        message.kind,
      ]);
    expect(shape(path)).toEqual(shape(source));
    reading(path, (trace) => {
      expect(trace.dropped).toBe(4);
      expect(trace.header.redacted).toBe(true);
      expect(trace.header.argv[0]).toBe('bindfs');
      expect(trace.header.environment[0]?.value).toMatch(/^\/usr\/bin:\/.{4}\/.{5}\/.{3}$/);
      expect(trace.maps(0)[0]?.ranges.map((range) => range.path.length)).toEqual([18, 18]);
      expect(trace.incarnations[0]?.end).toMatchObject({ signal: 6, stderr: ['1 lines redacted'] });
    });
  });

  it('keeps equal what was equal, wherever it stands', () => {
    const frames = decode(path);
    const names = frames
      .filter(({ op, kind }) => op === 'LOOKUP' && kind === 'request')
      .map((one) => fieldsOf(one)['name']);
    expect(names[0]).toBe(names[1]);
    expect(names[0]).not.toBe(names[2]);
    const listing = frames.map(fieldsOf).find(({ entries }) => entries !== undefined)?.['entries'];
    expect(listing).toMatchObject([{ name: '..' }, { name: names[0] }]);
    const link = frames.map(fieldsOf).find(({ target }) => target !== undefined);
    expect(link?.['target']).toMatch(new RegExp(`^\\.\\./${names[0]}/.{5}$`));
    const notice = frames.find(({ kind }) => kind === 'notification');
    expect(fieldsOf(notice)['name']).toBe(names[0]);
    const contents = frames.map(fieldsOf).flatMap(({ data }) => (data instanceof Uint8Array ? [data] : []));
    expect(contents).toHaveLength(2);
    const [stored, read] = contents.map((one) => Buffer.from(one).toString('latin1'));
    expect(stored).toBe(read);
    const xattr = frames.find(({ op }) => op === 'SETXATTR');
    expect(fieldsOf(xattr)['name']).toMatch(/^user\..{10}$/);
  });

  it('of a rotated trace is one file; of a later part, that part', () => {
    const path = written(
      (writer) => {
        const talk = new Talk(writer);
        for (let i = 0; i < 600; i++) talk.lookup(1n, `name-${i}`, BigInt(i + 2));
      },
      { codec: 'none', rotateBytes: 40_000 },
    );
    const [whole, part] = [freshPath(), freshPath()];
    reading(path, (trace) => {
      expect(trace.parts.length).toBeGreaterThan(2);
      expect(redactTrace(trace, whole, key)).toMatchObject({ frames: 1200, parts: 1 });
    });
    reading(partPath(path, 1), (trace) => redactTrace(trace, part, key));
    const sizesIn = (file: string) => framesIn(file).map(({ seq, bytes }) => [seq, bytes.length]);
    expect(sizesIn(whole)).toEqual(sizesIn(path));
    expect(sizesIn(part)).toEqual(sizesIn(partPath(path, 1)));
  });

  it('keeps what a payload mode cut away cut, and its digest keyed', () => {
    const hashed = original({ kind: 'hash' });
    const frames = framesIn(redacted(hashed));
    expect(frames.map(({ length, bytes }) => [length, bytes.length])).toEqual(
      framesIn(hashed).map(({ length, bytes }) => [length, bytes.length]),
    );
    const digests = (all: typeof frames) =>
      all.flatMap(({ digest }) => (digest ? [Buffer.from(digest).toString('hex')] : []));
    const [before, after] = [digests(framesIn(hashed)), digests(frames)];
    expect(after).toHaveLength(before.length);
    expect(after).not.toContain(before[0]);
    expect(after[0]).toBe(after[1]);
  });
});

describe('pseudonyms', () => {
  it('are as long, equal when equal, different when different, and legal names', () => {
    const names = fc.array(
      fc
        .uint8Array({ minLength: 1, maxLength: 12 })
        .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 47 ? 1 : byte))),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(names, (all) => {
        const pseudonyms = new Pseudonyms(key);
        const seen = new Map<string, string>();
        for (const name of all) {
          const other = pseudonyms.name(name);
          const [from, to] = [Buffer.from(name).toString('latin1'), Buffer.from(other).toString('latin1')];
          expect(other.length).toBe(name.length);
          expect(other.includes(0) || other.includes(47)).toBe(false);
          expect(seen.get(from) ?? to).toBe(to);
          seen.set(from, to);
        }
        expect(new Set(seen.values()).size).toBe(seen.size);
      }),
    );
  });

  it('end for every name of one byte that there is', () => {
    const pseudonyms = new Pseudonyms(key);
    const all = Array.from({ length: 253 }, (_, i) => i + 1).map((byte) => (byte >= 46 ? byte + 2 : byte));
    const names = new Set(all.map((byte) => pseudonyms.name(Uint8Array.of(byte))[0]));
    expect(names.size).toBe(253);
  });

  it('of contents do not depend on how the file was read, and leave holes', () => {
    const pseudonyms = new Pseudonyms(key);
    const file = Buffer.concat([Buffer.alloc(700, 'abc'), Buffer.alloc(1024), Buffer.alloc(600, 'xyz')]);
    const whole = Buffer.from(pseudonyms.data(file, 0));
    expect(
      Buffer.from(pseudonyms.data(file.subarray(512, 1536), 512)).equals(whole.subarray(512, 1536)),
    ).toBe(true);
    expect(whole.subarray(1024, 1536).every((byte) => byte === 0)).toBe(true);
    expect(whole.subarray(0, 512).equals(file.subarray(0, 512))).toBe(false);
    expect(Buffer.from(new Pseudonyms(Buffer.alloc(32)).data(file, 0)).equals(whole)).toBe(false);
  });
});
