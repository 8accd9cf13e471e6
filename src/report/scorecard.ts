/** The scorecard of a server for people, in 80 columns: grade, ids, what each strategy led to, findings, and what to do. */

import type { Finding } from '../fuzz/finding.js';
import type { Grade, Matrix } from '../fuzz/grade.js';
import type { Sighted } from '../fuzz/matrix.js';
import type { IdClass } from '../oracle/id-kind.js';
import type { IdReport } from '../oracle/id-observer.js';
import { isUnsafe, type Verdict, verdictNames } from '../oracle/verdict.js';
import { adviceOn } from './advice.js';
import { type Audited, freshFindings, otherSightings, replayCommand } from './audit.js';
import { findingLine, subjectText } from './finding.js';
import type { Brush, Paint } from './paint.js';
import { commandText, plain } from './plain.js';
import { tableLines } from './table.js';
import { clockText, countedText } from './units.js';
import { wrapped } from './wrap.js';

const brushes: Readonly<Record<Grade, keyof Paint>> = {
  A: 'green',
  B: 'yellow',
  C: 'yellow',
  D: 'red',
  F: 'red',
};

/** Verdicts in a column of the matrix. */
const short: Readonly<Record<Verdict, string>> = {
  'not-sent': '-',
  rejected: 'ok',
  recovered: 'ok',
  unknown: '?',
  malformed: 'malformed',
  leak: 'LEAK',
  hang: 'HANG',
  twice: 'TWICE',
  lost: 'LOST',
  poison: 'POISON',
  'wrong-object': 'WRONG',
  abort: 'ABORT',
  crash: 'CRASH',
};

const heads: Readonly<Record<string, string>> = {
  'revalidate-getattr': 'reval-ga',
  'revalidate-lookup': 'reval-lu',
  'mark-bad-quiet': 'quiet',
};

const idLines = (ids: IdReport, paint: Paint): string[] => {
  const line = (what: string, { kind, count, pointers, evidence }: IdClass): string[] => {
    if (count === 0) return [];
    const isPointer = kind === 'pointer' || pointers > 0;
    const [first = ''] = evidence;
    return wrapped(`  ${what}: ${isPointer ? paint.red(kind) : kind}; ${plain(first)}`, '    ');
  };
  return [
    ...line('nodeids', ids.nodeids),
    ...line('file handles', ids.files),
    ...line('directory handles', ids.directories),
  ];
};

const rank = (verdict: Verdict): number => verdictNames.indexOf(verdict);

/** Operations, those with the worst verdicts first. */
const opsOf = (matrix: Matrix): string[] => {
  const worst = new Map<string, number>();
  for (const ops of matrix.values())
    for (const [op, verdict] of ops) worst.set(op, Math.max(worst.get(op) ?? 0, rank(verdict)));
  return [...worst].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([op]) => op);
};

/** Worst verdict by operation and strategy; the rows that are safe throughout are only named. */
const matrixLines = (matrix: Matrix, paint: Paint): string[] => {
  const strategies = [...matrix.keys()];
  const ops = opsOf(matrix);
  const isSafe = (op: string): boolean =>
    strategies.every((name) => !isUnsafe(matrix.get(name)?.get(op) ?? 'not-sent'));
  const shown = ops.filter((op) => !isSafe(op));
  const safe = ops.filter(isSafe);
  const rows = shown.map((op) => [
    op,
    ...strategies.map((name) => short[matrix.get(name)?.get(op) ?? 'not-sent']),
  ]);
  const [head = '', ...body] = tableLines({
    head: ['OPERATION', ...strategies.map((name) => heads[name] ?? name)],
    rows,
  });
  return [
    ...(shown.length === 0 ? [] : [paint.bold(head), ...body]),
    ...(safe.length === 0 ? [] : wrapped(`nothing unsafe: ${safe.join(' ')}`, '  ')),
  ];
};

/** Sightings beyond these are counted: the campaign has the findings. */
const SHOWN_SIGHTINGS = 6;

const sightingLines = (sightings: readonly Sighted[], audited: Audited, paint: Paint): string[] => {
  const line = ({ judgement, run, count }: Sighted): string => {
    const { verdict, op, idKind } = judgement;
    const { strategy, aslr } = run.result;
    const what = plain(subjectText({ op, idKind, relation: 'stale' }));
    const where = `${strategy}${aslr === 'off' ? ', fixed addresses' : ''}, ${countedText(count, 'time')}`;
    return `${paint.red(verdict.padEnd(12))}  ${what}  ${paint.dim(where)}`;
  };
  const [first] = sightings;
  const hidden = sightings.length - SHOWN_SIGHTINGS;
  return [
    ...sightings.slice(0, SHOWN_SIGHTINGS).map(line),
    ...(hidden > 0 ? [`and ${countedText(hidden, 'further kind')} of them`] : []),
    ...(first === undefined ? [] : [paint.dim(`to see the first one: ${replayCommand(first, audited)}`)]),
  ];
};

/** Each piece of advice once, with what it is about. */
const adviceLines = (
  findings: readonly Finding[],
  sightings: readonly Sighted[],
  { ids }: Audited,
): string[] => {
  const about = new Map<string, Set<Verdict>>();
  const complaints = [...findings, ...sightings.map(({ judgement }) => ({ ...judgement, isHostile: false }))];
  for (const complaint of complaints) {
    const advice = adviceOn(complaint, ids);
    about.set(advice, (about.get(advice) ?? new Set()).add(complaint.verdict));
  }
  return [...about].flatMap(([advice, verdicts]) =>
    wrapped(`  ${[...verdicts].join(', ')}: ${advice}`, '    '),
  );
};

const section = (title: string, lines: readonly string[], paint: Paint): string[] =>
  lines.length === 0 ? [] : ['', paint.bold(title), ...lines];

const workText = ({ result }: Audited): string => {
  const { tour, runs, campaign, elapsedMs, seed } = result;
  return [
    `${countedText(tour.traffic.requests, 'request')} on the tour`,
    countedText(runs.length, 'replay'),
    ...(campaign === undefined ? [] : [countedText(campaign.status.cases, 'case')]),
    clockText(elapsedMs / 1000),
    `seed ${seed}`,
  ].join(', ');
};

/** The lines of the scorecard. */
export const scorecardLines = (audited: Audited, paint: Paint): string[] => {
  const { result, ids, command, pathOf } = audited;
  const { grade, why } = result.graded;
  const brush: Brush = paint[brushes[grade]];
  const findings = freshFindings(audited);
  const sightings = otherSightings(audited);
  const [first] = findings;
  return [
    ...wrapped(`${brush(paint.bold(`grade ${grade}`))}  ${commandText(command)}`, '         '),
    ...wrapped(`  ${why}`, '  '),
    paint.dim(`  ${workText(audited)}`),
    ...section('Ids', idLines(ids, paint), paint),
    ...section(
      'Worst verdict of each operation under each strategy',
      matrixLines(result.matrix, paint),
      paint,
    ),
    ...section(
      'Findings, confirmed and made small',
      findings.map((one) => findingLine(one, paint)),
      paint,
    ),
    ...(first === undefined
      ? []
      : [paint.dim(`relight show ${commandText([pathOf(first)])} explains the first one`)]),
    ...section('Seen in the replays besides', sightingLines(sightings, audited, paint), paint),
    ...section('What to do', adviceLines(findings, sightings, audited), paint),
    ...section(
      'Notes',
      result.notes.flatMap((note) => wrapped(`  ${plain(note)}`, '    ')),
      paint,
    ),
  ];
};
