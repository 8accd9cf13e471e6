// What the virtual kernel costs: memory for a million cached nodes, time for each event, time to recover.
// Run: node --expose-gc test/bench/kernel.mjs [nodes]

import { strategies } from '#relight/kernel/strategies/registry.js';
import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';

const nodes = Number(process.argv[2] ?? 1_000_000);
const perDirectory = 1000;
const S_IFDIR = 0o040755;
const S_IFREG = 0o100644;

const session = newestNegotiated;
const megabytes = (bytes) => Math.round(bytes / 1e6);
const report = (what, figure) => console.log(`${what.padEnd(52)} ${figure}`);
const timed = (work) => {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
};
const memory = () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const lookupRequest = encodeRequest(
  { name: 'LOOKUP', header: { unique: 0n }, fields: { name: 'x'.repeat(16) } },
  session,
);
const lookupReply = encodeReply(
  { name: 'LOOKUP', header: { unique: 0n }, fields: { nodeid: 2n, attr: { mode: S_IFREG } } },
  undefined,
  session,
);
const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// The same two frames again and again, patched in place, so that the figures are the kernel's and not the codec's.
const lookup = (kernel, parent, name, nodeid, mode) => {
  const request = lookupRequest.slice();
  view(request).setBigUint64(16, BigInt(parent), true);
  for (let i = 0; i < 16; i++) request[40 + i] = name.charCodeAt(i);
  const [send] = kernel.handle({ kind: 'request', bytes: request, tag: 0 });
  view(lookupReply).setBigUint64(8, BigInt(send.unique), true);
  view(lookupReply).setBigUint64(16, BigInt(nodeid), true);
  view(lookupReply).setUint32(16 + 100, mode, true);
  kernel.handle({ kind: 'message', bytes: lookupReply });
};

const filled = (count) => {
  const kernel = new VirtualKernel({ letGo: 'given', negotiated: session });
  let directory = 1;
  for (let id = 2; id < count + 2; id++) {
    const isDirectory = id % perDirectory === 2;
    const name = `file-${String(id).padStart(11, '0')}`;
    lookup(kernel, isDirectory ? 1 : directory, name, id, isDirectory ? S_IFDIR : S_IFREG);
    if (isDirectory) directory = id;
  }
  return kernel;
};

const before = memory();
let kernel;
const fillNs = timed(() => {
  kernel = filled(nodes);
});
const held = memory() - before;
report(
  `${nodes} nodes, each with a name of its own`,
  `${megabytes(held)} MB, ${Math.round(held / nodes)} bytes a node`,
);
report('LOOKUP of a new name, request and reply', `${Math.round(fillNs / nodes)} ns`);

const rounds = 500_000;
const read = encodeRequest(
  { name: 'READ', header: { unique: 0n, nodeid: 3n }, fields: { fh: 1n, size: 4096 } },
  session,
);
const data = encodeReply(
  { name: 'READ', header: { unique: 0n }, fields: { data: new Uint8Array(4096) } },
  undefined,
  session,
);
const readNs = timed(() => {
  for (let i = 0; i < rounds; i++) {
    const [send] = kernel.handle({ kind: 'request', bytes: read, tag: i });
    view(data).setBigUint64(8, BigInt(send.unique), true);
    kernel.handle({ kind: 'message', bytes: data });
  }
});
report('READ of 4 KiB, request and reply', `${Math.round(readNs / rounds)} ns`);

const known = timed(() => {
  for (let i = 0; i < rounds; i++) lookup(kernel, 2, 'file-00000000003', 3, S_IFREG);
});
report('LOOKUP of a known name, request and reply', `${Math.round(known / rounds)} ns`);

const initReply = encodeReply(
  { name: 'INIT', header: { unique: 0n }, fields: { major: 7, minor: 45 } },
  undefined,
  session,
);
const reply = (kernel, send, bytes) => {
  view(bytes).setBigUint64(8, BigInt(send.unique), true);
  return kernel.handle({ kind: 'message', bytes });
};
const attrOf = (mode) =>
  encodeReply({ name: 'GETATTR', header: { unique: 0n }, fields: { attr: { mode } } }, undefined, session);
const attrs = { file: attrOf(S_IFREG), directory: attrOf(S_IFDIR) };

/** A server that still knows everything. */
const answer = (kernel, send, idOf) => {
  const opcode = send.bytes[4];
  const id = opcode === 1 ? idOf(send.bytes) : Number(view(send.bytes).getBigUint64(16, true));
  const isDirectory = id === 1 || id % perDirectory === 2;
  if (opcode !== 1) return reply(kernel, send, isDirectory ? attrs.directory : attrs.file);
  view(lookupReply).setBigUint64(16, BigInt(id), true);
  view(lookupReply).setUint32(16 + 100, isDirectory ? S_IFDIR : S_IFREG, true);
  return reply(kernel, send, lookupReply);
};
const idByName = (bytes) => Number(Buffer.from(bytes.buffer, bytes.byteOffset + 45, 11).toString());

for (const strategy of strategies) {
  let tally;
  const ns = timed(() => {
    kernel.handle({ kind: 'died' });
    const [init] = kernel.handle({ kind: 'restarted', strategy });
    reply(kernel, init, initReply);
    while (tally === undefined) {
      for (const command of kernel.handle({ kind: 'pull', room: 64 })) {
        if (command.kind === 'recovered') tally = command.tally;
        if (command.kind === 'send' && command.awaits) answer(kernel, command, idByName);
      }
    }
  });
  const messages = Object.entries(tally.messages).map(([name, count]) => `${count} ${name}`);
  report(
    `recover by ${strategy.name}`,
    `${(ns / 1e9).toFixed(2)} s, ${messages.join(', ') || 'no messages'}`,
  );
}
