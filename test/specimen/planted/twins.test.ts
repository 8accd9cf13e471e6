/** No twin is shaken by anything that a kernel would never say: it lives, answers in good form, and touches nothing. */

import { describe, expect, test } from 'vitest';
import { rng } from '#relight/base/rng.js';
import { decodeReply, decodeRequest } from '#relight/protocol/decode.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { UNIQUE_RESEND } from '#relight/protocol/flags.js';
import { IN_HEADER_SIZE, setUnique, uniqueOf } from '#relight/protocol/header.js';
import { idSites, requestIdMap } from '#relight/protocol/id-sites.js';
import { type Operation, operations } from '#relight/protocol/operations.js';
import { putU64At } from '#relight/protocol/raw.js';
import { plantedBugs } from '#relight/specimen/planted/planted.js';
import type { Conversation } from '../conversation.js';
import { frameOf, stageOf } from './playing.js';

const UNIQUE = 5000n;
const MINUS_ONE = (1n << 64n) - 1n;

/** What somebody opened in this incarnation and goes on using. */
const bystander = (talk: Conversation) => {
  const nodeid = talk.walk('docs/guide.txt');
  const { fh } = talk.ask('OPEN', { flags: 2 }, { nodeid });
  const look = () => ({
    attr: talk.ask('GETATTR', {}, { nodeid }).attr,
    data: talk.ask('READ', { fh, offset: 0n, size: 8192 }, { nodeid }).data,
    names: talk.ask('READDIR', { fh: root, offset: 0n, size: 8192 }).entries.map(({ name }) => name),
  });
  const root = talk.ask('OPENDIR', {}).fh;
  return { nodeid, fh, look };
};

/** Numbers that name nothing, some of them next to those that do. */
const odd = (live: bigint, stale: bigint): bigint[] => [
  ...[0n, 2n, 3n, 16n, 4096n, MINUS_ONE, 1n << 63n, 0x7fff_ffff_f000n, stale],
  ...[1n, -1n, 8n, -16n, 4096n, 1n << 32n, -(1n << 40n)].map((step) => live + step),
  ...[0n, 31n, 32n, 63n].map((bit) => live ^ (1n << bit)),
];

const plain = (talk: Conversation, { opcode }: Operation, body: Uint8Array): Uint8Array =>
  encodeRequest(
    { name: undefined, header: { opcode, unique: UNIQUE, nodeid: 2n }, fields: { body } },
    talk.negotiated,
  );

const withIds = (talk: Conversation, op: Operation, id: bigint): Uint8Array => {
  const frame = Buffer.from(frameOf(talk, op.name, {}, { nodeid: 2n, unique: UNIQUE }));
  for (const { offset, use } of idSites(requestIdMap(op, talk.negotiated), frame))
    if (use.kind === 'node' || use.kind === 'handle') putU64At(frame, offset, id);
  return frame;
};

const cut = (frame: Uint8Array, length: number, isHonest: boolean): Uint8Array => {
  const short = Buffer.from(frame.subarray(0, Math.max(IN_HEADER_SIZE, length)));
  if (isHonest) short.writeUInt32LE(short.length, 0);
  return short;
};

const longer = (frame: Uint8Array): Uint8Array => {
  const lying = Buffer.from(frame);
  lying.writeUInt32LE(frame.length + 4096, 0);
  return lying;
};

const again = (frame: Uint8Array): Uint8Array => {
  const resent = Buffer.from(frame);
  setUnique(resent, uniqueOf(frame) | UNIQUE_RESEND);
  return resent;
};

const noise = (talk: Conversation, op: Operation, seed: number): Uint8Array => {
  const random = rng(seed);
  const body = Uint8Array.from({ length: random.int(0, 200) }, () => random.int(0, 255));
  return plain(talk, op, body);
};

/** Everything that is said about one operation. */
const frames = (talk: Conversation, op: Operation, ids: readonly bigint[]): Uint8Array[] => {
  const stale = ids.map((id) => withIds(talk, op, id));
  const [first = new Uint8Array(IN_HEADER_SIZE)] = stale;
  const lengths = [0, 1, 7, 8, 16].map((less) => first.length - less);
  return [
    ...stale,
    ...stale.map(again),
    ...lengths.flatMap((length) => [cut(first, length, true), cut(first, length, false)]),
    longer(first),
    ...[1, 2, 3, 4].map((seed) => noise(talk, op, seed)),
  ];
};

/** What is wrong with the answer to a frame; `undefined` when nothing is. */
const faultOf = (talk: Conversation, frame: Uint8Array): string | undefined => {
  const messages = talk.memfs.engine.handle(frame);
  const request = decodeRequest(frame, talk.negotiated);
  const isSilent = request.kind === 'request' && request.op?.replyRule === 'never';
  if (messages.length === 0) return undefined;
  const [reply] = messages;
  if (messages.length > 1 || reply === undefined || isSilent) return `${messages.length} messages`;
  if (uniqueOf(reply) !== uniqueOf(frame)) return `unique ${uniqueOf(reply)}`;
  const context = request.kind === 'request' ? request : undefined;
  const decoded = decodeReply(reply, context, talk.negotiated);
  if (decoded.kind === 'decodeError') return `${decoded.reason} at ${decoded.offset}`;
  const { error } = decoded.header;
  if (error > 0 || error <= -512) return `error ${error}`;
  return decoded.ok && request.kind !== 'request' ? 'a good reply to a broken request' : undefined;
};

describe.each(plantedBugs)('the twin of $name', (bug) => {
  test('stands everything', () => {
    const stage = stageOf(bug, true);
    const stale = bystander(stage.start());
    const talk = stage.start();
    const { nodeid, fh, look } = bystander(talk);
    const before = look();
    const ids = [...odd(nodeid, stale.nodeid), ...odd(fh, stale.fh)];
    const faults = operations.flatMap((op) =>
      frames(talk, op, ids).flatMap((frame) => {
        const fault = faultOf(talk, frame);
        return fault === undefined ? [] : [`${op.name} ${Buffer.from(frame).toString('hex')}: ${fault}`];
      }),
    );
    expect(faults).toEqual([]);
    expect(look()).toEqual(before);
  });
});
