import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bindRequest } from '#relight/plan/bind.js';
import { Bindings } from '#relight/plan/bindings.js';
import { learn } from '#relight/plan/learn.js';
import { lift } from '#relight/plan/lift.js';
import type { Plan, Step } from '#relight/plan/plan.js';
import { uniqueOf } from '#relight/protocol/header.js';
import { u64At } from '#relight/protocol/raw.js';
import { conversation } from './arbitrary.js';
import { Conversation } from './conversation.js';

const SLOT = 1 << 16;

const lifted = (talk: Conversation): Plan | undefined =>
  talk.frames.length === 0 ? undefined : lift(talk.recording, { negotiated: talk.session });

const bound = (step: Step, bindings: Bindings, unique: bigint): Uint8Array => {
  const into = new Uint8Array(SLOT).fill(0xee);
  return into.slice(0, bindRequest(step, bindings, unique, into));
};

/** The recorded reply of a server that numbers everything by symbol. */
const renumbered = (step: Step, numberOf: (symbol: number) => bigint): Uint8Array | undefined => {
  const reply = step.reply?.slice();
  if (reply === undefined) return undefined;
  const view = new DataView(reply.buffer, reply.byteOffset);
  for (const { offset, symbol } of step.mints) view.setBigUint64(offset, numberOf(symbol), true);
  return reply;
};

describe('lift and bind', () => {
  test('give every recorded request back, byte for byte', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(conversation, (talk) => {
        const plan = lifted(talk);
        if (plan === undefined) return;
        const bindings = Bindings.of(plan);
        const requests = talk.frames.filter(({ direction }) => direction === 'toServer');
        expect(plan.steps.length).toBe(requests.length);
        for (const step of plan.steps) {
          const recorded = requests[step.index]?.bytes ?? new Uint8Array(0);
          // INTERRUPT takes its target from its own unique.
          const isInterrupt = step.op?.name === 'INTERRUPT';
          const unique = isInterrupt ? u64At(recorded, 40) | 1n : uniqueOf(recorded);
          const sent = bound(step, bindings, unique);
          expect(isInterrupt ? sent.subarray(16) : sent).toEqual(
            isInterrupt ? maskedInterrupt(recorded) : recorded,
          );
          if (step.reply !== undefined)
            expect(learn(step, step.reply, bindings, plan.negotiated)).toBeUndefined();
        }
      }),
    );
  });

  test('follow a server that numbers otherwise', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(conversation, (talk) => {
        const plan = lifted(talk);
        if (plan === undefined) return;
        const bindings = Bindings.of(plan);
        const numberOf = (symbol: number): bigint => (symbol === 0 ? 1n : (1n << 63n) + BigInt(symbol));
        const learnt = new Set<number>();
        for (const step of plan.steps) {
          const sent = bound(step, bindings, 2n);
          for (const patch of step.patches) {
            if (patch.kind !== 'symbol') continue;
            const recorded = plan.symbols.at(patch.symbol)?.recorded;
            const expected = learnt.has(patch.symbol) ? numberOf(patch.symbol) : recorded;
            expect(u64At(sent, patch.offset)).toBe(expected);
          }
          const reply = renumbered(step, numberOf);
          if (reply === undefined) continue;
          expect(learn(step, reply, bindings, plan.negotiated)).toBeUndefined();
          for (const { symbol } of step.mints) learnt.add(symbol);
        }
      }),
    );
  });
});

const maskedInterrupt = (recorded: Uint8Array): Uint8Array => {
  const bytes = recorded.slice(16);
  bytes[24] = (bytes[24] ?? 0) & 0xfe;
  return bytes;
};

describe('learn', () => {
  const entry = (name: string, nodeid: bigint) => ({ name, namelen: name.length, nodeid });
  const listing = (...entries: ReturnType<typeof entry>[]): Conversation => {
    const talk = new Conversation();
    talk.exchange('READDIRPLUS', 1n, { fh: 0n }, { entries });
    return talk;
  };
  const replyOf = (talk: Conversation): Uint8Array => talk.frames[1]?.bytes ?? new Uint8Array(0);
  const recorded = listing(entry('.', 1n), entry('a', 10n), entry('b', 11n));
  const plan = lift(recorded.recording);
  const [step] = plan.steps;
  const [a = -1, b = -1] = step?.mints.map(({ symbol }) => symbol) ?? [];
  const learning = (reply: Uint8Array, bindings = Bindings.of(plan)) =>
    step === undefined ? undefined : learn(step, reply, bindings, plan.negotiated);

  test('matches directory records by name, in any order', () => {
    const bindings = Bindings.of(plan);
    expect(learning(replyOf(listing(entry('b', 21n), entry('a', 20n))), bindings)).toBeUndefined();
    expect([bindings.get(a), bindings.get(b)]).toEqual([20n, 21n]);
    expect([bindings.isBound(a), bindings.fork().isBound(b)]).toEqual([true, true]);
    bindings.unbind();
    expect([bindings.isBound(a), bindings.isBound(0), bindings.get(a)]).toEqual([false, true, 20n]);
  });

  test('tells what is missing and what nobody asked for', () => {
    const surprise = learning(replyOf(listing(entry('a', 20n), entry('new', 30n))));
    expect(surprise?.missing).toEqual([b]);
    expect(surprise?.surplus.map(({ use }) => use.field)).toEqual(['nodeid']);
  });

  test('an error mints nothing', () => {
    const talk = new Conversation();
    talk.exchange('READDIRPLUS', 1n, { fh: 0n }, -116);
    expect(learning(replyOf(talk))).toEqual({ missing: [a, b], surplus: [] });
  });
});
