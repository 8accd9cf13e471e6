import { describe, expect, it } from 'vitest';
import { statsOf } from '#relight/report/stats.js';
import { context, reading, written } from '../trace/support.js';
import { Talk } from '../trace/talk.js';

const heap = {
  start: 0x5500_0000_0000n,
  end: 0x5500_1000_0000n,
  permissions: 'rw-p',
  offset: 0n,
  path: '[heap]',
};

const session = written((writer) => {
  writer.startIncarnation({ incarnation: 0, timeNs: context.startTimeNs, pid: 9, aslr: 'on' });
  writer.maps({ incarnation: 0, timeNs: context.startTimeNs, ranges: [heap] });
  const talk = new Talk(writer);
  for (let i = 0; i < 100; i++)
    talk.lookup(1n, `f${i}`, heap.start + BigInt(i * 64), BigInt(1000 + i * 3), BigInt((i + 1) * 1000));
  for (let i = 0; i < 5; i++) talk.fail(talk.ask('LOOKUP', 1n, { name: 'no' }), 2, 50_000n);
  for (let i = 0; i < 10; i++) {
    talk.open(heap.start, 7n);
    talk.ask('FORGET', heap.start, { nlookup: 1n });
    talk.answer('RELEASE', talk.ask('RELEASE', heap.start, { fh: 7n }));
  }
  talk.invalidate(1n, 'f3');
  const lost = talk.ask('GETATTR', 1n);
  talk.ask('INTERRUPT', 0n, { unique: lost }, lost | 1n);
  talk.ask('GETATTR', 1n, {}, lost | (1n << 63n));
  writer.dropped(3);
});

describe('statistics', () => {
  const stats = reading(session, (trace) => statsOf(trace));

  it('count frames, errors and what was never answered', () => {
    expect(stats).toMatchObject({ frames: 264, requests: 138, replies: 125, notifications: 1, undecoded: 0 });
    expect(stats).toMatchObject({ inFlight: 1, dropped: 3, damagedBytes: 0, incarnations: 1 });
    expect(stats.perOp['LOOKUP']).toMatchObject({ count: 105, errors: 5, byError: { ENOENT: 5 } });
    expect(stats.perOp['FORGET']).toMatchObject({ count: 10, errors: 0, maxNs: 0 });
    expect(stats.perOp['NOTIFY_INVAL_ENTRY']).toMatchObject({ count: 1 });
    expect(Object.keys(stats.perOp)[0]).toBe('LOOKUP');
  });

  it('give latencies within two percent', () => {
    const { p50Ns, p90Ns, p99Ns, maxNs } = stats.perOp['LOOKUP'] ?? {
      p50Ns: 0,
      p90Ns: 0,
      p99Ns: 0,
      maxNs: 0,
    };
    expect(maxNs).toBe(100_000);
    for (const [found, exact] of [
      [p50Ns, 50_000],
      [p90Ns, 90_000],
      [p99Ns, 99_000],
    ] as const) {
      expect(found).toBeGreaterThanOrEqual(exact);
      expect(found).toBeLessThan(exact * 1.03);
    }
  });

  it('say what the ids are', () => {
    expect(stats.ids.nodeids).toMatchObject({ kind: 'pointer', count: 100, pointers: 100 });
    expect(stats.ids.nodeids.evidence[0]).toContain('[heap]');
    expect(stats.ids.handles).toMatchObject({ kind: 'fd', count: 1, pointers: 0 });
  });

  it('can be of a part', () => {
    const some = reading(session, (trace) => statsOf(trace, (frame) => frame.op === 'RELEASE'));
    expect(some).toMatchObject({ frames: 20, requests: 10 });
    expect(Object.keys(some.perOp)).toEqual(['RELEASE']);
  });
});
