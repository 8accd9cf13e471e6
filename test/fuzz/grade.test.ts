import { describe, expect, test } from 'vitest';
import { gradeOf, type Matrix, worse } from '#relight/fuzz/grade.js';
import type { StrategyName } from '#relight/kernel/strategies/strategy.js';
import type { Verdict } from '#relight/oracle/verdict.js';

const matrix = (rows: Partial<Record<StrategyName, Readonly<Record<string, Verdict>>>>): Matrix =>
  new Map(Object.entries(rows).map(([name, ops]) => [name as StrategyName, new Map(Object.entries(ops))]));

const safeRow = { READ: 'rejected', GETATTR: 'recovered', WRITE: 'unknown' } as const;
const allSafe = {
  trust: safeRow,
  resend: safeRow,
  'inc-epoch': safeRow,
  'mark-bad-quiet': { READ: 'not-sent' },
} as const;
const allUnsafe = (verdict: Verdict) =>
  matrix({
    trust: { READ: verdict },
    resend: { READ: verdict },
    'inc-epoch': { READ: verdict },
    'mark-bad-quiet': { READ: 'not-sent' },
  });
const gradeFor = (rows: Matrix, ...found: Verdict[]): string => gradeOf({ matrix: rows, found }).grade;

describe('the grade of a server', () => {
  test('is A without any unsafe verdict', () => expect(gradeFor(matrix(allSafe))).toBe('A'));

  test('is B when a strategy of today is safe', () => {
    expect(gradeFor(matrix({ ...allSafe, 'revalidate-getattr': { READ: 'crash' } }))).toBe('B');
    expect(gradeFor(matrix({ ...allSafe, trust: { READ: 'wrong-object' } }))).toBe('B');
  });

  test('is B when only the campaign found something, and resending is safe', () =>
    expect(gradeFor(matrix(allSafe), 'crash')).toBe('B'));

  test('is F for what ends the server or stops it', () => {
    for (const verdict of ['crash', 'abort', 'hang'] as const) expect(gradeFor(allUnsafe(verdict))).toBe('F');
    expect(gradeFor(allUnsafe('wrong-object'), 'crash')).toBe('F');
  });

  test('is D for what reaches or spoils something else', () => {
    for (const verdict of ['wrong-object', 'poison', 'leak', 'lost', 'twice'] as const)
      expect(gradeFor(allUnsafe(verdict))).toBe('D');
  });

  test('is C for the rest', () => expect(gradeFor(allUnsafe('malformed'))).toBe('C'));

  test('says why', () =>
    expect(gradeOf({ matrix: allUnsafe('crash'), found: ['abort'] }).why).toBe(
      'a stale id led to crash, abort',
    ));
});

test('the worse of two verdicts is the later one of the list', () => {
  expect(worse('rejected', 'crash')).toBe('crash');
  expect(worse('abort', 'hang')).toBe('abort');
});
