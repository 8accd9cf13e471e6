/**
 * How fast and how small traces are written and read: frames a second and gigabytes a second on one core, bytes of the file
 * per byte of frames. `node test/bench/trace.mjs [folder]`; the folder should be on the disk that is of interest.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writevSync } from 'node:fs';
import { arch, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodedFrames } from '#relight/trace/decoded-frames.js';
import { openTrace } from '#relight/trace/reader.js';
import { createTrace } from '#relight/trace/writer.js';

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'relight-bench-'));
const path = join(folder, 't.rlt');
const startTimeNs = 1_700_000_000_000_000_000n;
const context = {
  relightVersion: 'bench',
  startTimeNs,
  kernelRelease: '',
  arch: arch(),
  pageSize: 4096,
  byteOrder: 'little',
  argv: ['bench'],
  cwd: '/',
  environment: [],
  payload: { kind: 'full' },
  filter: '',
  redacted: false,
};

const frame = (length, word, unique, nodeid = 0n) => {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(length, 0);
  bytes.writeInt32LE(word, 4);
  bytes.writeBigUInt64LE(unique, 8);
  if (length >= 40) bytes.writeBigUInt64LE(nodeid, 16);
  return bytes;
};

/** What `find` and `ls -l` make: LOOKUP with a name, GETATTR, attributes that look real. */
const metadata = (count) => {
  const frames = [];
  for (let i = 0; i < count; i++) {
    const unique = BigInt(frames.length + 2);
    const node = 0x7f00_1000_0000n + BigInt((i * 7919) % 20_011) * 96n;
    const name = `file-${(i * 7919) % 20_011}.txt`;
    const isMissing = i % 8 === 0;
    const lookup = frame(41 + name.length, 1, unique, node & ~0xfffn);
    lookup.write(name, 40);
    const entry = frame(isMissing ? 16 : 144, isMissing ? -2 : 0, unique);
    if (!isMissing) {
      entry.writeBigUInt64LE(node, 16);
      entry.writeBigUInt64LE(BigInt(i) * 3n + 1_000_000n, 56);
      entry.writeBigUInt64LE(BigInt((i * 104_729) % 1_000_000), 64);
      for (const at of [80, 88, 96]) entry.writeBigUInt64LE(1_690_000_000n + BigInt((i * 31) % 99_991), at);
      entry.writeUInt32LE((i * 7_368_787) >>> 0, 104);
    }
    frames.push(['toServer', lookup], ['toKernel', entry]);
    frames.push(['toServer', frame(56, 3, unique + 1n, node)], ['toKernel', frame(120, 0, unique + 1n)]);
  }
  return frames;
};

/** Reads of bytes that do not compress; no two replies are the same. */
const bulk = (count, size) => {
  const noise = randomBytes(size + 64 * 1024);
  const replies = Array.from({ length: 64 }, (_, i) => {
    const reply = frame(size + 16, 0, 2n);
    reply.set(noise.subarray(i * 1024, i * 1024 + size), 16);
    return reply;
  });
  const request = frame(80, 15, 2n, 9n);
  return Array.from({ length: count }, (_, i) =>
    i % 2 ? ['toKernel', replies[(i >> 1) % replies.length]] : ['toServer', request],
  );
};

const write = (frames, options) => {
  const writer = createTrace(path, { context, ...options });
  let timeNs = startTimeNs;
  const from = performance.now();
  for (const [direction, bytes] of frames) {
    timeNs += 7_000n;
    writer.append(direction, timeNs, bytes);
  }
  const status = writer.close();
  const seconds = (performance.now() - from) / 1000;
  if (status.lost > 0 || status.failure !== undefined) throw new Error(`lost frames: ${status.failure}`);
  return { seconds, wire: status.wireBytes, file: statSync(path).size };
};

/** What the disk takes of plain writes of 1 MiB: the limit of all others. */
const plain = (bytes) => {
  const block = Buffer.alloc(1 << 20, 7);
  const fd = openSync(path, 'w');
  const from = performance.now();
  for (let done = 0; done < bytes; done += block.length) writevSync(fd, [block]);
  const seconds = (performance.now() - from) / 1000;
  closeSync(fd);
  return bytes / seconds / 1e9;
};

const best = (runs, measure) =>
  Array.from({ length: runs }, measure).reduce((a, b) => (b.seconds < a.seconds ? b : a));
const row = (what, count, { seconds, wire, file }) =>
  console.log(
    `${what.padEnd(34)} ${String(Math.round(count / seconds)).padStart(9)} frames/s ${(wire / seconds / 1e9).toFixed(3).padStart(7)} GB/s  ${(file / wire).toFixed(3)} of the frames' bytes`,
  );

console.log(`${cpus()[0]?.model}, Node ${process.version}, ${folder}`);
const small = metadata(100_000);
for (const codec of ['none', 'deflate', 'brotli'])
  row(
    `small frames, ${codec}`,
    small.length,
    best(3, () => write(small, { codec })),
  );
const read = () => {
  const trace = openTrace(path);
  const from = performance.now();
  let count = 0;
  for (const _ of trace.frames()) count++;
  const raw = performance.now();
  for (const _ of decodedFrames(trace)) count++;
  const done = performance.now();
  trace.close();
  return { raw: count / 2 / ((raw - from) / 1000), decoded: count / 2 / ((done - raw) / 1000) };
};
const { raw, decoded } = read();
console.log(
  `${'read back, brotli'.padEnd(34)} ${String(Math.round(raw)).padStart(9)} frames/s, decoded ${Math.round(decoded)} frames/s`,
);

for (const size of [4096, 131_072, 1_048_576]) {
  const frames = bulk(Math.max(800, Math.floor(2 ** 30 / size)), size);
  const figures = { none: [], brotli: [], plain: [] };
  for (let i = 0; i < 3; i++) {
    figures.plain.push(plain(1 << 28));
    figures.none.push(write(frames, { codec: 'none' }));
    figures.brotli.push(write(frames, { codec: 'brotli' }));
  }
  const fastest = (all) => all.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  row(`${size >> 10} KiB payload, none`, frames.length, fastest(figures.none));
  row(`${size >> 10} KiB random payload, brotli`, frames.length, fastest(figures.brotli));
  console.log(
    `${'  plain 1 MiB writes beside it'.padEnd(34)} ${Math.max(...figures.plain)
      .toFixed(3)
      .padStart(28)} GB/s`,
  );
}
rmSync(folder, { recursive: true });
