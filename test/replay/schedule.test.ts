/** The order in which steps may be sent, and the times at which they shall be. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pace, parsePace } from '#relight/replay/pace.js';
import { Schedule } from '#relight/replay/schedule.js';

const schedule = (after: readonly (readonly number[])[], from = 0): Schedule =>
  new Schedule({ length: after.length, after: (index) => after[index] ?? [] }, from, after.length);

const takeAll = (steps: Schedule): number[] => {
  const taken: number[] = [];
  for (let step = steps.peek(); step !== undefined; step = steps.peek()) {
    taken.push(step);
    steps.take();
  }
  return taken;
};

describe('schedule', () => {
  test('shows the earliest step that waits for nothing, until it is taken', () => {
    const steps = schedule([[], [0], []]);
    expect([steps.peek(), steps.peek()]).toEqual([0, 0]);
    expect(takeAll(steps)).toEqual([0, 2]);
    steps.done(0);
    expect(takeAll(steps)).toEqual([1]);
  });

  test('a step waits for all that comes before it', () => {
    const steps = schedule([[], [], [0, 1]]);
    takeAll(steps);
    steps.done(1);
    expect(steps.peek()).toBeUndefined();
    steps.done(0);
    expect(steps.peek()).toBe(2);
  });

  test('every step is shown once, the earliest first, and never before what it waits for', () => {
    const graph = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 60 });
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.nat(20)), (distances, choice) => {
        const after = distances.map((back, step) =>
          back.map((by) => step - 1 - by).filter((one) => one >= 0),
        );
        const steps = schedule(after);
        const [open, done] = [[] as number[], new Set<number>()];
        while (!steps.isDone) {
          const taken = takeAll(steps);
          expect(taken).toEqual([...taken].sort((a, b) => a - b));
          for (const step of taken) expect(after[step]?.every((one) => done.has(one))).toBe(true);
          open.push(...taken);
          const [next] = open.splice(choice.next().value % open.length, 1);
          steps.done(next ?? 0);
          done.add(next ?? 0);
        }
        expect(done.size).toBe(after.length);
      }),
    );
  });

  test('steps far behind the first open one wait until it is done', () => {
    const steps = schedule(Array.from({ length: 10_000 }, () => []));
    const taken = takeAll(steps);
    expect(taken.length).toBeLessThan(10_000);
    for (const step of taken.slice(1)) steps.done(step);
    expect(steps.peek()).toBeUndefined();
    steps.done(0);
    expect(steps.peek()).toBe(taken.length);
  });

  test('what lies before the range is done', () => {
    expect(takeAll(schedule([[], [0], [1]], 1))).toEqual([1]);
  });

  test('a step that is done before its turn is not shown, and done twice counts once', () => {
    const steps = schedule([[], [], [1]]);
    steps.done(1);
    steps.done(1);
    expect(takeAll(steps)).toEqual([0, 2]);
    expect(steps.isDone).toBe(false);
    steps.done(0);
    steps.done(2);
    expect(steps.isDone).toBe(true);
  });
});

describe('pace', () => {
  test('is max, recorded or a factor', () => {
    expect([parsePace('max'), parsePace('recorded'), parsePace('x2.5')]).toEqual(['max', 1, 2.5]);
    for (const text of ['', '2', 'x', 'x0', 'x-1', 'fast'])
      expect(() => parsePace(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  test('as fast as possible nothing is waited for, and nothing can be late', () => {
    const pace = new Pace('max');
    expect(pace.untilMs(5e9)).toBe(0);
    pace.sent(5e9);
    expect(pace.error()).toBeUndefined();
  });

  test('times count from the first step, divided by the factor', () => {
    const pace = new Pace(2);
    expect(pace.untilMs(1e9)).toBeCloseTo(0, 0);
    expect(pace.untilMs(3e9)).toBeGreaterThan(900);
    expect(pace.untilMs(3e9)).toBeLessThanOrEqual(1000);
    pace.sent(1e9);
    expect(pace.error()?.maxUs).toBeGreaterThanOrEqual(0);
  });
});
