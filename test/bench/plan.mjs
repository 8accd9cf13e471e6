// What plans cost: lifting a million frames, binding a request, learning from a reply.
// Run: node --expose-gc test/bench/plan.mjs [frames]

import { bindRequest } from '#relight/plan/bind.js';
import { Bindings } from '#relight/plan/bindings.js';
import { learn } from '#relight/plan/learn.js';
import { lift } from '#relight/plan/lift.js';
import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated as session } from '#relight/protocol/negotiated.js';

const count = Number(process.argv[2] ?? 1_000_000);
const S_IFREG = 0o100644;
const filesKept = 5000;
const directories = 100;

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

/** All frames in one buffer, so that the figures are the plan's and not those of a million small arrays. */
class Recording {
  #bytes = new Uint8Array(1 << 20);
  #ends = [];
  #toServer = [];
  #used = 0;
  #unique = 0n;

  get length() {
    return this.#ends.length;
  }

  get bytes() {
    return this.#used;
  }

  exchange(name, nodeid, fields, reply) {
    this.#unique += 2n;
    this.#put(true, encodeRequest({ name, header: { unique: this.#unique, nodeid }, fields }, session));
    if (reply === undefined) return;
    this.#put(
      false,
      encodeReply({ name, header: { unique: this.#unique }, fields: reply }, { fields }, session),
    );
  }

  *frames() {
    for (let seq = 0; seq < this.#ends.length; seq++) {
      const bytes = this.#bytes.subarray(this.#ends[seq - 1] ?? 0, this.#ends[seq]);
      const direction = this.#toServer[seq] ? 'toServer' : 'toKernel';
      yield { seq, timeNs: BigInt(seq), direction, incarnation: 0, bytes, length: bytes.length };
    }
  }

  #put(toServer, frame) {
    if (this.#used + frame.length > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(frame, this.#used);
    this.#used += frame.length;
    this.#ends.push(this.#used);
    this.#toServer.push(toServer);
  }
}

const idOf = (file) => 0x7f00_0000_0000n + BigInt(file) * 64n;

/** A metadata session: each file looked up, opened, read, closed, and forgotten when many more have come. */
const metadataSession = () => {
  const recording = new Recording();
  for (let file = 0; recording.length < count; file++) {
    const node = idOf(file);
    const fh = 0x5500_0000_0000n + BigInt(file % 1000) * 32n;
    const directory = file < directories ? 1n : idOf(file % directories);
    recording.exchange(
      'LOOKUP',
      directory,
      { name: `file-${file}` },
      { nodeid: node, attr: { mode: S_IFREG } },
    );
    recording.exchange('OPEN', node, {}, { fh });
    recording.exchange('READ', node, { fh, size: 64 }, { data: new Uint8Array(64) });
    recording.exchange('GETATTR', node, {}, { attr: { mode: S_IFREG } });
    recording.exchange('FLUSH', node, { fh }, {});
    recording.exchange('RELEASE', node, { fh }, {});
    if (file >= filesKept)
      recording.exchange('FORGET', idOf(file - filesKept + directories), { nlookup: 1n });
  }
  return recording;
};

const recording = metadataSession();
const before = memory();
let plan;
const rounds = 3;
for (let round = 0; round < rounds; round++) {
  plan = undefined;
  const ns = timed(() => {
    plan = lift(recording);
  });
  const held = memory() - before;
  report(
    `lift ${recording.length} frames of ${Math.round(recording.bytes / 1e6)} MB`,
    `${(ns / 1e9).toFixed(2)} s, ${Math.round(ns / recording.length)} ns a frame, ${Math.round(held / 1e6)} MB`,
  );
}

const { steps, negotiated } = plan;
const edges = [...steps].reduce((sum, { after }) => sum + after.length, 0);
report(
  `${steps.length} steps, ${plan.symbols.length} symbols`,
  `${(edges / steps.length).toFixed(2)} before each`,
);

const bindings = Bindings.of(plan);
const into = new Uint8Array(1 << 17);
const each = (what, work) => {
  for (let round = 0; round < rounds; round++) {
    const ns = timed(() => {
      for (let index = 0; index < steps.length; index++) work(steps.at(index));
    });
    if (round === rounds - 1) report(what, `${Math.round(ns / steps.length)} ns`);
  }
};
each('take a step', (step) => step.index);
each('take a step and bind its request', (step) => bindRequest(step, bindings, BigInt(step.index * 2), into));
each('take a step and its reply', (step) => step.reply);
each('take a step, its reply and learn', (step) => {
  const { reply } = step;
  if (reply !== undefined) learn(step, reply, bindings, negotiated);
});
