import { describe, expect, test } from 'vitest';
import { bindRequest } from '#relight/plan/bind.js';
import { Bindings } from '#relight/plan/bindings.js';
import { Composer } from '#relight/plan/compose.js';
import { learn } from '#relight/plan/learn.js';
import type { Plan } from '#relight/plan/plan.js';
import { encodeReply, encodeRequest } from '#relight/protocol/encode.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { type OperationName, operationNamed } from '#relight/protocol/operations.js';
import { u64At } from '#relight/protocol/raw.js';
import { mintsByField, mintsByName, patchesByField } from './by-field.js';

const RESEND = 1n << 63n;
const session = { negotiated: newestNegotiated, init: undefined, initReply: undefined };
const request = (name: OperationName, fields = {}): Uint8Array =>
  encodeRequest({ name, header: { unique: 0n }, fields }, newestNegotiated);

/** A node and its handle of the first life, then a READ in the second with each wrong in its way. */
const plan = (): Plan => {
  const composer = new Composer(session);
  const node = composer.symbol({ kind: 'node', path: '/a', recorded: 50n });
  const fh = composer.symbol({ kind: 'handle', node, recorded: 60n });
  const heap = composer.memory({ place: 'heap.middle', incarnation: 1 });
  const lookup = operationNamed('LOOKUP');
  const named = request('LOOKUP', { name: 'a' });
  const parent = patchesByField(lookup, named, newestNegotiated, { nodeid: 0 });
  const mints = mintsByField(lookup, { nodeid: node });
  composer.step({ incarnation: 0, bytes: named, patches: parent, mints });
  const open = operationNamed('OPEN');
  const opening = request('OPEN');
  const patches = patchesByField(open, opening, newestNegotiated, { nodeid: node });
  composer.step({ incarnation: 0, bytes: opening, patches, mints: mintsByField(open, { fh }) });
  const reading = request('READ', { size: 10 });
  const [header, handle] = patchesByField(operationNamed('READ'), reading, newestNegotiated, {
    nodeid: heap,
    fh: node,
  });
  if (header === undefined || handle === undefined) throw new Error('READ names a node and a handle');
  const wrong = [header, { ...handle, shift: { add: -8n, flip: 1n } }];
  composer.step({ incarnation: 1, bytes: reading, patches: wrong });
  composer.step({ incarnation: 1, bytes: reading, patches: wrong, resent: true, repeats: 2 });
  return composer.plan();
};

describe('a composed plan', () => {
  test('is in the order of its lives, its symbols minted where they are', () => {
    const { steps, symbols, notes } = plan();
    expect([...steps].map(({ after }) => after)).toEqual([[], [0], [], [2]]);
    expect([...symbols].map(({ origin, mintedBy }) => [origin, mintedBy])).toEqual([
      ['root', undefined],
      ['step', 0],
      ['step', 1],
      ['memory', undefined],
    ]);
    expect(symbols.at(2)?.path).toBe('/a');
    expect(notes.unanswered).toBe(4);
  });

  test('has the recorded numbers in its templates', () => {
    const templates = [...plan().steps].map(({ template }) => template);
    expect(templates.map(uniqueOf)).toEqual([2n, 4n, 6n, 6n | RESEND]);
    expect(templates.map((bytes) => u64At(bytes, 16))).toEqual([1n, 50n, 0n, 0n]);
    expect(u64At(templates[2] ?? new Uint8Array(0), 40)).toBe(42n ^ 1n);
  });

  test('binds numbers made from others, and leaves a repeated unique alone', () => {
    const composed = plan();
    const bindings = Bindings.of(composed);
    bindings.set(1, 0n);
    bindings.set(3, 0x5555n);
    const into = new Uint8Array(100);
    const step = composed.steps.at(3);
    if (step === undefined) throw new Error('four steps');
    bindRequest(step, bindings, 7n, into);
    expect([u64At(into, 8), u64At(into, 16), u64At(into, 40)]).toEqual([
      7n,
      0x5555n,
      0xffff_ffff_ffff_fff8n ^ 1n,
    ]);
  });

  test('refuses symbols and steps that are not there', () => {
    const composer = new Composer(session);
    expect(() => composer.symbol({ kind: 'handle', node: 4 })).toThrow('no number 4');
    expect(() => composer.step({ incarnation: 0, bytes: request('OPEN'), repeats: 0 })).toThrow(
      'no number 0',
    );
  });

  test('names the target of an INTERRUPT by its unique', () => {
    const composer = new Composer(session);
    const target = composer.step({ incarnation: 0, bytes: request('STATFS') });
    const [use] = operationNamed('INTERRUPT').ids;
    if (use === undefined) throw new Error('INTERRUPT names a unique');
    const patches = [{ kind: 'step', offset: 40, use, step: target }] as const;
    composer.step({ incarnation: 0, bytes: request('INTERRUPT'), patches });
    const template = composer.plan().steps.at(1)?.template ?? new Uint8Array(0);
    expect([uniqueOf(template), u64At(template, 40)]).toEqual([3n, 2n]);
  });
});

describe('learning without a recorded reply', () => {
  test('goes by the field', () => {
    const composed = plan();
    const bindings = Bindings.of(composed);
    const [lookup, open] = [...composed.steps];
    if (lookup === undefined || open === undefined) throw new Error('four steps');
    const entry = encodeReply(
      { name: 'LOOKUP', header: { unique: 2n }, fields: { nodeid: 1234n } },
      { fields: {} },
      newestNegotiated,
    );
    expect(learn(lookup, entry, bindings, newestNegotiated)).toBeUndefined();
    expect(bindings.get(1)).toBe(1234n);
    const opened = encodeReply(
      { name: 'OPEN', header: { unique: 4n }, fields: { fh: 99n } },
      { fields: {} },
      newestNegotiated,
    );
    expect(learn(open, opened, bindings, newestNegotiated)).toBeUndefined();
    expect(bindings.get(2)).toBe(99n);
  });

  test('goes by the name in a listing', () => {
    const composer = new Composer(session);
    const [a, b] = [composer.symbol({ kind: 'node' }), composer.symbol({ kind: 'node' })];
    const op = operationNamed('READDIRPLUS');
    const mints = mintsByName(op, { a, 'b\u00fc': b });
    composer.step({ incarnation: 0, bytes: request('READDIRPLUS', { size: 4096 }), mints });
    const composed = composer.plan();
    const bindings = Bindings.of(composed);
    const entries = ['b\u00fc', 'other'].map((name, at) => ({
      name,
      namelen: Buffer.byteLength(name),
      nodeid: BigInt(at + 70),
    }));
    const reply = encodeReply(
      { name: 'READDIRPLUS', header: { unique: 2n }, fields: { entries } },
      { fields: {} },
      newestNegotiated,
    );
    const step = composed.steps.at(0);
    const surprise = step && learn(step, reply, bindings, newestNegotiated);
    expect([bindings.get(b), surprise?.missing, surprise?.surplus.length]).toEqual([70n, [a], 1]);
  });
});
