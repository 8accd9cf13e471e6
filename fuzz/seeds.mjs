// First inputs for the fuzz targets, made from the recorded traces and the tables. Those that people can read, and those with
// which a parser was broken once, are files in corpora/fuzz.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainEnvironment } from '../dist/fuzz/environment.js';
import { encodeFinding } from '../dist/fuzz/finding-file.js';
import { lift } from '../dist/plan/lift.js';
import { keepSteps } from '../dist/plan/subset.js';
import { readPlan } from '../dist/plan/text/read.js';
import { writePlan } from '../dist/plan/text/write.js';
import { encodeNotification, encodeRequest } from '../dist/protocol/encode.js';
import { newestNegotiated } from '../dist/protocol/negotiated.js';
import { notifications } from '../dist/protocol/notifications.js';
import { operations } from '../dist/protocol/operations.js';
import { MAGIC } from '../dist/trace/format.js';
import { openTrace } from '../dist/trace/reader.js';
import { createTrace } from '../dist/trace/writer.js';

/** Mutated inputs are cut at 4 KiB, so larger seeds lose their end. */
const MOST_BYTES = 2048;
const FRAMES = 24;
const FEW_STEPS = [0, 1, 2, 3, 4, 5, 6, 7];

const [SESSION, REQUEST, REPLY, NOTIFICATION] = [0, 0, 1, 2];
const piece = (bytes) => [Buffer.of(bytes.length & 0xff, bytes.length >> 8), bytes];

/** A request of each operation with all fields zero, each notification, and one exchange of each that was recorded. */
const frames = (plan) => {
  const seeds = [];
  for (const { name } of operations) {
    const request = encodeRequest({ name, header: { unique: 2n, nodeid: 1n }, fields: {} }, newestNegotiated);
    seeds.push(Buffer.concat([Buffer.of(SESSION, REQUEST), request]));
  }
  for (const { name } of notifications) {
    const notice = encodeNotification({ name, fields: {} }, newestNegotiated);
    seeds.push(Buffer.concat([Buffer.of(SESSION, NOTIFICATION), notice]));
  }
  const seen = new Set();
  for (const { op, template, reply } of plan.steps) {
    if (op === undefined || reply === undefined || reply.length === 16 || seen.has(op.name)) continue;
    seen.add(op.name);
    seeds.push(Buffer.concat([Buffer.of(SESSION, REQUEST), template]));
    seeds.push(Buffer.concat([Buffer.of(SESSION, REPLY), ...piece(template), reply]));
  }
  return seeds;
};

/** A short trace as it is, and its records one by one. */
const traces = (source) => {
  const folder = mkdtempSync(join(tmpdir(), 'relight-seeds-'));
  const path = join(folder, 'a.rlt');
  const writer = createTrace(path, { context: source.header, codec: 'none', traceId: new Uint8Array(16) });
  writer.startIncarnation(source.incarnations[0].start);
  let left = FRAMES;
  for (const { direction, timeNs, bytes } of source.frames()) {
    if (left-- === 0) break;
    if (bytes.length < 120) writer.append(direction, timeNs, bytes);
  }
  writer.close();
  const file = readFileSync(path);
  rmSync(folder, { recursive: true });
  const records = [...recordsOf(file.subarray(MAGIC.length))];
  const pieces = records.flatMap(({ kind, body }) => [Buffer.of(kind), ...piece(body)]);
  return [Buffer.concat([Buffer.of(0), file]), Buffer.concat([Buffer.of(1), ...pieces])];
};

const varint = (bytes, from) => {
  let [value, at] = [0, from];
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, at };
  }
};

/** Mark and checksum of a record. */
const MARK_BYTES = 14;

/** Kind and body of each record: a length, mark and checksum, a tag, a length, the body. */
function* recordsOf(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const length = varint(bytes, at);
    const tag = varint(bytes, length.at + MARK_BYTES);
    const body = varint(bytes, tag.at);
    at = length.at + length.value;
    yield { kind: tag.value >> 3, body: bytes.subarray(body.at, at) };
  }
}

const finding = (plan) =>
  encodeFinding({
    id: '0123456789abcdef',
    signature: 'wrong-object GETATTR node',
    verdict: 'wrong-object',
    op: 'GETATTR',
    idKind: 'node',
    mutator: 'nodeid.stale',
    relation: 'stale',
    evidence: ['sent GETATTR'],
    plan,
    environment: { ...plainEnvironment, mallocPerturb: 170, minor: 23, withoutFlags: 1n },
    command: { argv: ['server', '{mnt}'], cwd: '/tmp', env: { A: 'b' } },
    snapshot: ['/data'],
    seed: 7,
    reliability: { k: 5, n: 5 },
    versions: { relight: '0.1.0', kernel: '6.1.0', arch: 'x86_64' },
  });

/** Seeds by target; `corpora` is the folder of recorded traces. */
export const seedsIn = (corpora) => {
  const trace = openTrace(join(corpora, 'passthrough_ll.rlt'));
  try {
    const plan = lift(trace);
    const wrong = readFileSync(join(corpora, 'fuzz/plan/wrong-ids'), 'utf8').split('\n');
    const seeds = {
      filter: [],
      finding: [finding(readPlan(wrong, { name: 'wrong-ids' }))],
      frames: frames(plan),
      plan: [Buffer.from([...writePlan(keepSteps(plan, FEW_STEPS))].join('\n'))],
      trace: traces(trace),
    };
    const fitting = Object.entries(seeds).map(([target, all]) => [
      target,
      all.filter(({ length }) => length <= MOST_BYTES),
    ]);
    return Object.fromEntries(fitting);
  } finally {
    trace.close();
  }
};
