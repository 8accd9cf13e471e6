/** Frames and traces made for tests, in a temporary directory that goes away with the test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { TraceContext } from '#relight/trace/context.js';
import type { Frame } from '#relight/trace/frame.js';
import { openPart } from '#relight/trace/part-reader.js';
import type { Trace } from '#relight/trace/reader.js';
import { openTrace } from '#relight/trace/reader.js';
import { createTrace, type TraceWriter, type WriterOptions } from '#relight/trace/writer.js';

const folder = mkdtempSync(join(tmpdir(), 'relight-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** A path that nothing has used. */
export const freshPath = (): string => join(folder, `${files++}.rlt`);

export const context: TraceContext = {
  relightVersion: '0.1.0',
  startTimeNs: 1_700_000_000_123_456_789n,
  kernelRelease: '6.1.0-test',
  arch: 'x86_64',
  pageSize: 4096,
  byteOrder: 'little',
  argv: ['bindfs', '-f', '/söurce', '/mnt'],
  cwd: '/root',
  environment: [{ name: 'LANG', value: 'C.UTF-8' }],
  payload: { kind: 'full' },
  filter: '',
  redacted: false,
};

/** A request: header and body. */
export const request = (
  opcode: number,
  unique: bigint,
  nodeid: bigint,
  body: Uint8Array = new Uint8Array(16),
): Buffer => {
  const bytes = Buffer.alloc(40 + body.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(opcode, 4);
  bytes.writeBigUInt64LE(unique, 8);
  bytes.writeBigUInt64LE(nodeid, 16);
  bytes.set(body, 40);
  return bytes;
};

/** A reply; `error` is a positive errno. */
export const reply = (unique: bigint, body: Uint8Array = new Uint8Array(104), error = 0): Buffer => {
  const bytes = Buffer.alloc(16 + body.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeInt32LE(-error, 4);
  bytes.writeBigUInt64LE(unique, 8);
  bytes.set(body, 16);
  return bytes;
};

/** Writes a trace; closed unless the callback closed it. */
export const written = (
  fill: (writer: TraceWriter) => void,
  options: Partial<WriterOptions> = {},
): string => {
  const path = freshPath();
  const writer = createTrace(path, { context, ...options });
  fill(writer);
  writer.close();
  return path;
};

/** Opens a trace for the length of a callback. */
export const reading = <T>(path: string, use: (trace: Trace) => T): T => {
  const trace = openTrace(path);
  try {
    return use(trace);
  } finally {
    trace.close();
  }
};

/** Opens one file of a rotated trace for the length of a callback. */
export const readingPart = <T>(path: string, use: (trace: Trace) => T): T => {
  const part = openPart(path);
  try {
    return use(part);
  } finally {
    part.close();
  }
};

/** All frames of a trace. */
export const framesIn = (path: string): Frame[] => reading(path, (trace) => [...trace.frames()]);

/** `count` exchanges of GETATTR and its reply, 10 µs apart; every 7th of LOOKUP with ENOENT. */
export const conversation = (writer: TraceWriter, count: number, from = 0): void => {
  for (let i = from; i < from + count; i++) {
    const unique = BigInt(i * 2 + 2);
    const timeNs = context.startTimeNs + BigInt(i) * 10_000n;
    const isLookup = i % 7 === 0;
    const node = BigInt(1 + (i % 50));
    const sent = isLookup ? request(1, unique, node, Buffer.from(`name-${i}\0`)) : request(3, unique, node);
    writer.append('toServer', timeNs, sent);
    writer.append(
      'toKernel',
      timeNs + 4_000n,
      isLookup ? reply(unique, new Uint8Array(0), 2) : reply(unique),
    );
  }
};
