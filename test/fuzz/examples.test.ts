import { describe, expect, test } from 'vitest';
import { rng } from '#relight/base/rng.js';
import type { Case, CaseRequest } from '#relight/fuzz/case.js';
import type { CastObject } from '#relight/fuzz/cast.js';
import { attacksOn } from '#relight/fuzz/mutators.js';
import type { SymbolPatch } from '#relight/plan/plan.js';
import { lengthOf, opcodeOf } from '#relight/protocol/header.js';
import { u32At, u64At } from '#relight/protocol/raw.js';
import { stageOf } from './stage.js';

const { cast, seeds } = stageOf();
const attacks = attacksOn(seeds, cast);
const DRAWS = 40;

/** Cases of a mutator on an operation, of every seed that is made up. */
const casesOf = (mutator: string, op: string): Case[] => {
  const attack = attacks.find((one) => one.mutator.name === mutator && one.op.name === op);
  const made = (attack?.seeds ?? []).filter(({ origin }) => origin === 'made');
  return made.flatMap((seed) =>
    Array.from({ length: DRAWS }, (_, index) => attack?.mutator.make(seed, cast, rng(index)) ?? []).flat(),
  );
};
const wrongOf = ({ requests, wrong }: Case): CaseRequest => {
  const request = requests[wrong];
  if (request === undefined) throw new Error('the case has no such request');
  return request;
};
const symbolsOf = ({ patches }: CaseRequest): SymbolPatch[] =>
  patches.filter((patch) => patch.kind === 'symbol');
const ownerOf = (symbol: number): CastObject | undefined =>
  cast.objects.find(({ old, live }) => [old.node, old.handle, live?.node, live?.handle].includes(symbol));
const namesOf = ({ requests }: Case): (string | undefined)[] => requests.map(({ op }) => op?.name);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('nodeids and handles', () => {
  test('a stale READ has the old node and the old handle of one file', () => {
    for (const one of casesOf('nodeid.stale', 'READ')) {
      const [node, handle] = symbolsOf(wrongOf(one));
      expect([node?.offset, handle?.offset]).toEqual([16, 40]);
      expect(ownerOf(node?.symbol ?? -1)?.old).toEqual({ node: node?.symbol, handle: handle?.symbol });
    }
  });

  test('a stale handle stands beside the live node of the same file', () => {
    for (const one of casesOf('fh.stale', 'WRITE')) {
      const [node, handle] = symbolsOf(wrongOf(one));
      const file = ownerOf(node?.symbol ?? -1);
      expect([file?.live?.node, file?.old.handle]).toEqual([node?.symbol, handle?.symbol]);
      expect(one.meant).toContain(node?.symbol);
    }
  });

  test('a bit of a handle is flipped by a shift, a constant stands in the frame', () => {
    const [flipped] = casesOf('fh.bit-flip', 'FLUSH').map((one) => symbolsOf(wrongOf(one)).at(-1));
    expect(flipped?.shift?.add).toBe(0n);
    const [constant] = casesOf('nodeid.first', 'GETATTR').map(wrongOf);
    expect(constant?.patches.some(({ offset }) => offset === 16)).toBe(false);
    expect([1n, 2n, 3n, 4n]).toContain(u64At(constant?.bytes ?? new Uint8Array(0), 16));
  });

  test('only spare objects are given back by live ids', () => {
    for (const { mutator, seeds: all } of attacks)
      for (const seed of all)
        for (let draw = 0; draw < 4; draw++)
          for (const request of mutator.make(seed, cast, rng(draw))?.requests ?? [])
            for (const { use, symbol, shift } of symbolsOf(request)) {
              const isGivenBack = use.act === 'release' && shift === undefined;
              if (!isGivenBack || cast.symbols[symbol]?.kind !== use.kind) continue;
              const kept = cast.objects.some(
                ({ role, live }) => role === 'kept' && [live?.node, live?.handle].includes(symbol),
              );
              expect(kept, `${mutator.name} gives a kept ${use.kind} back`).toBe(false);
            }
  });
});

describe('counts and sizes', () => {
  test('a BATCH_FORGET tells more items than it has', () => {
    for (const one of casesOf('count.items-more', 'BATCH_FORGET')) {
      const { bytes } = wrongOf(one);
      expect(bytes.length).toBe(40 + 8 + 2 * 16);
      expect(u32At(bytes, 40)).toBeGreaterThan(2);
    }
  });

  test('a name loses its NUL, and the header tells the length that is left', () => {
    const [first] = casesOf('size.name-open', 'LOOKUP').map((one) => wrongOf(one).bytes);
    expect(hex(first ?? new Uint8Array(0))).toBe(
      [
        '2a000000', // len 42
        '01000000', // opcode LOOKUP
        '0000000000000000', // unique, filled in when it is sent
        '0000000000000000', // nodeid, a patch
        '000000000000000000000000', // uid, gid, pid
        '00000000', // total_extlen, padding
        '6430', // "d0"
      ].join(''),
    );
  });

  test('a WRITE tells more data than it has, or less', () => {
    const sizes = (mutator: string): number[] =>
      casesOf(mutator, 'WRITE').map(
        (one) => u32At(wrongOf(one).bytes, 56) - (wrongOf(one).bytes.length - 80),
      );
    expect(Math.min(...sizes('size.payload-more'))).toBe(1);
    expect(Math.max(...sizes('size.payload-less'))).toBe(-1);
  });

  test('READDIR gets room for one record less one byte', () => {
    const rooms = new Set(casesOf('size.room', 'READDIR').map((one) => u32At(wrongOf(one).bytes, 56)));
    for (const room of [0, 1, 31, 32, 131072, 131073, 0x8000_0000, 0xffff_ffff])
      expect(rooms).toContain(room);
  });

  test('a header tells another length than the frame has', () => {
    for (const mutator of ['size.header-longer', 'size.header-shorter'])
      for (const one of casesOf(mutator, 'STATFS'))
        expect(lengthOf(wrongOf(one).bytes)).not.toBe(wrongOf(one).bytes.length);
  });
});

describe('order', () => {
  test('an UNLINK that is sent again had a name to take away', () => {
    for (const one of casesOf('sequence.resend-done', 'UNLINK')) {
      const [before, first, again] = one.requests;
      expect(['MKNOD', 'MKDIR']).toContain(before?.op?.name);
      expect(first).toMatchObject({ resent: false });
      expect(again).toMatchObject({ resent: true, repeats: 1, bytes: first?.bytes });
      expect(hex(before?.bytes ?? new Uint8Array(0))).toContain(Buffer.from('relight-0\0').toString('hex'));
    }
  });

  test('what is closed or forgotten was spare', () => {
    expect(
      new Set(casesOf('sequence.use-after-release', 'READ').map((one) => namesOf(one).join(' '))),
    ).toEqual(new Set(['RELEASE READ']));
    expect(new Set(casesOf('count.use-after-forget', 'ACCESS').map((one) => namesOf(one).join(' ')))).toEqual(
      new Set(['FORGET ACCESS']),
    );
  });

  test('an INTERRUPT names the request before it, or one that nobody sent', () => {
    const [own] = casesOf('sequence.interrupted', 'READ');
    expect(own?.requests[1]?.patches).toMatchObject([{ kind: 'step', offset: 40, step: 0 }]);
    const [unknown] = casesOf('sequence.interrupt-unknown', 'INTERRUPT');
    expect(unknown?.requests[0]?.patches).toEqual([]);
  });

  test('opcodes of the future and INIT come in the middle of a session', () => {
    const opcodes = new Set(
      casesOf('sequence.unknown-opcode', 'LOOKUP').map((one) => opcodeOf(wrongOf(one).bytes)),
    );
    expect(opcodes).toContain(54);
    expect(opcodes).not.toContain(1);
    expect(namesOf(casesOf('sequence.second-init', 'LOOKUP')[0] ?? { ...emptyCase })).toEqual([
      'INIT',
      'LOOKUP',
    ]);
  });
});

const emptyCase: Case = { mutator: '', relation: 'good', op: '', requests: [], wrong: 0, meant: [] };
