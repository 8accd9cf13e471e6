/**
 * The grade of a server: one letter for what its old ids lead to after a restart. Pure.
 *
 * The first that applies:
 * - A: no unsafe verdict under any strategy, and no finding: every stale id is rejected or leads to its own object.
 * - B: at least one strategy that kernels have today (`trust`, `resend`, `inc-epoch`) is safe.
 * - F: a stale id crashes the server, ends it, or makes it hang.
 * - D: a stale id reaches another object, breaks a live id, gives memory away, or loses or repeats a change.
 * - C: what else is unsafe; the server is safe only if old ids are never sent (`mark-bad-quiet`, or no restart under a mount).
 *
 * A finding of the campaign counts as a verdict under `trust`, since that is how it was tried; one that no correct kernel can
 * send does not count.
 */

import type { StrategyName } from '../kernel/strategies/strategy.js';
import { isUnsafe, type Verdict, verdictNames } from '../oracle/verdict.js';

/** The worst verdict by strategy and operation, over all runs. */
export type Matrix = ReadonlyMap<StrategyName, ReadonlyMap<string, Verdict>>;

/** See above. */
export type Grade = 'A' | 'B' | 'C' | 'D' | 'F';

/** A grade and the rule that gave it, in words. */
export interface Graded {
  readonly grade: Grade;
  readonly why: string;
}

/** What a grade follows from. */
export interface Graduand {
  readonly matrix: Matrix;
  /** Verdicts of findings that a correct kernel can bring about. */
  readonly found: readonly Verdict[];
}

/** Strategies that the running kernels have. */
const today: readonly StrategyName[] = ['trust', 'resend', 'inc-epoch'];
const fatal: readonly Verdict[] = ['crash', 'abort', 'hang'];
const wrong: readonly Verdict[] = ['wrong-object', 'poison', 'leak', 'lost', 'twice'];

/** The worse of two verdicts. */
export const worse = (a: Verdict, b: Verdict): Verdict =>
  verdictNames.indexOf(a) >= verdictNames.indexOf(b) ? a : b;

const unsafeIn = (ops: ReadonlyMap<string, Verdict> | undefined): Verdict[] =>
  [...(ops?.values() ?? [])].filter(isUnsafe);

const listed = (verdicts: readonly Verdict[]): string => [...new Set(verdicts)].join(', ');

/** The grade. */
export const gradeOf = ({ matrix, found }: Graduand): Graded => {
  const all = [...matrix.values()].flatMap(unsafeIn).concat(found);
  if (all.length === 0)
    return { grade: 'A', why: 'every stale id was rejected or led to its own object, whatever the strategy' };
  const safe = today.filter(
    (name) =>
      matrix.has(name) && unsafeIn(matrix.get(name)).length === 0 && !(name === 'trust' && found.length > 0),
  );
  if (safe.length > 0) return { grade: 'B', why: `safe under ${safe.join(', ')}, which kernels have today` };
  const deaths = all.filter((verdict) => fatal.includes(verdict));
  if (deaths.length > 0) return { grade: 'F', why: `a stale id led to ${listed(deaths)}` };
  const mistakes = all.filter((verdict) => wrong.includes(verdict));
  if (mistakes.length > 0) return { grade: 'D', why: `a stale id led to ${listed(mistakes)}` };
  return { grade: 'C', why: `safe only if old ids are never sent: ${listed(all)}` };
};
