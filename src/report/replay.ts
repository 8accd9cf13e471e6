/** What a replay came to, for people and for programs. */

import type { Tally } from '../kernel/tally.js';
import type { Divergence } from '../oracle/compare.js';
import { isUnsafe, type Judgement, type Verdict, verdictNames } from '../oracle/verdict.js';
import type { ReplayResult } from '../replay/result.js';
import { type ExitJson, exitJson } from './exit-text.js';
import type { Paint } from './paint.js';
import { fittedTables } from './table.js';
import { countedText, countText, durationText } from './units.js';
import { wrapped } from './wrap.js';

/** A verdict with its evidence, once for each signature. */
export interface FindingJson {
  readonly verdict: Verdict;
  readonly op: string;
  readonly idKind: string;
  readonly signature: string;
  /** How often it was seen. */
  readonly count: number;
  /** Of the first one. */
  readonly evidence: readonly string[];
}

/** `relight replay --json`, for one strategy. */
export interface ReplayJson {
  readonly outcome: ReplayResult['outcome'];
  readonly strategy: string;
  readonly aslr: string;
  readonly requests: number;
  readonly matched: number;
  readonly diverged: readonly Divergence[];
  readonly failures: ReplayResult['failures'];
  readonly verdicts: ReplayResult['verdicts'];
  /** Unsafe verdicts. */
  readonly findings: readonly FindingJson[];
  /** Verdicts that are safe or open. */
  readonly others: readonly FindingJson[];
  readonly restarts: readonly {
    readonly at: number;
    readonly elapsedMs: number;
    readonly tally: Tally | null;
  }[];
  readonly exits: readonly (ExitJson & { readonly incarnation: number })[];
  readonly messages: number;
  readonly elapsedMs: number;
  readonly paceErrorUs: { readonly median: number; readonly p99: number; readonly max: number } | null;
  readonly seed: number;
  readonly notes: readonly string[];
}

const grouped = (judgements: readonly Judgement[]): FindingJson[] => {
  const bySignature = new Map<string, FindingJson>();
  for (const { verdict, op, idKind, signature, evidence } of judgements) {
    const key = `${verdict} ${signature}`;
    const count = (bySignature.get(key)?.count ?? 0) + 1;
    const first = bySignature.get(key)?.evidence ?? evidence;
    bySignature.set(key, { verdict, op, idKind, signature, count, evidence: first });
  }
  return [...bySignature.values()];
};

/** The document of one replay. */
export const replayJson = (result: ReplayResult): ReplayJson => {
  const { judgements, restarts, exits, paceError, ...rest } = result;
  const all = grouped(judgements);
  return {
    outcome: rest.outcome,
    strategy: rest.strategy,
    aslr: rest.aslr,
    requests: rest.requests,
    matched: rest.matched,
    diverged: rest.diverged,
    failures: rest.failures,
    verdicts: rest.verdicts,
    findings: all.filter(({ verdict }) => isUnsafe(verdict)),
    others: all.filter(({ verdict }) => !isUnsafe(verdict)),
    restarts: restarts.map(({ at, elapsedMs, tally }) => ({ at, elapsedMs, tally: tally ?? null })),
    exits: exits.map((exit, incarnation) => ({ incarnation, ...exitJson(exit) })),
    messages: rest.messages,
    elapsedMs: rest.elapsedMs,
    paceErrorUs:
      paceError === undefined
        ? null
        : { median: paceError.medianUs, p99: paceError.p99Us, max: paceError.maxUs },
    seed: rest.seed,
    notes: rest.notes,
  };
};

const outcomeText = (outcome: ReplayResult['outcome'], paint: Paint): string =>
  outcome === 'same'
    ? paint.green(outcome)
    : outcome === 'unsafe'
      ? paint.red(outcome)
      : paint.yellow(outcome);

const divergenceLines = ({ op, step, field, expected, actual, reason }: Divergence): string[] => [
  `  step ${step} ${op}: ${field} was ${expected}, is ${actual}`,
  `    ${reason}`,
];

const SHOWN_DIVERGENCES = 10;

const findingLines = ({ verdict, signature, count, evidence }: FindingJson, paint: Paint): string[] => [
  `${paint.red(verdict)}  ${signature}${count > 1 ? `  (${countedText(count, 'time')})` : ''}`,
  ...evidence.flatMap((line) => wrapped(`  ${line}`, '    ')),
];

const wronglyText = ({ wronglyKept }: Tally): string =>
  wronglyKept === 0 ? '' : ` (${wronglyKept} wrongly)`;

const restartLine = ({ at, elapsedMs, tally, changes }: ReplayResult['restarts'][number]): string => {
  const messages = Object.values(tally?.messages ?? {}).reduce((sum, count) => sum + count, 0);
  const fates =
    tally === undefined
      ? ''
      : `: ${tally.survived} survived${wronglyText(tally)}, ${tally.lost} lost of ${countedText(tally.nodes, 'node')}`;
  const store = changes.length === 0 ? '' : `; ${changes.join(', ')}`;
  return `  restart after ${countedText(at, 'request')}${fates}, ${countedText(messages, 'message')}, ${durationText(elapsedMs * 1e6)}${store}`;
};

const SHOWN_RESTARTS = 3;

/** The same in lines. `details` prints each finding with its evidence. */
export const replayLines = (result: ReplayResult, paint: Paint, details = true): string[] => {
  const { findings } = replayJson(result);
  const { matched, requests, diverged, failures, restarts, notes, elapsedMs, paceError } = result;
  const rate = elapsedMs > 0 ? `, ${countText(Math.round((requests / elapsedMs) * 1000))}/s` : '';
  return [
    `${outcomeText(result.outcome, paint)}: ${countText(matched)} of ${countedText(requests, 'reply')} as recorded${rate} (strategy ${result.strategy}, address randomisation ${result.aslr})`.replace(
      'replys',
      'replies',
    ),
    ...restarts.slice(0, SHOWN_RESTARTS).map(restartLine),
    ...(restarts.length > SHOWN_RESTARTS
      ? [`  and ${countedText(restarts.length - SHOWN_RESTARTS, 'further restart')}`]
      : []),
    ...(paceError === undefined
      ? []
      : [
          `  sent ${paceError.medianUs.toFixed(0)} µs late in the median, ${paceError.maxUs.toFixed(0)} µs at worst`,
        ]),
    ...failures.map(({ step, op, text }) => `  step ${step} ${op}: ${text}`),
    ...diverged.slice(0, SHOWN_DIVERGENCES).flatMap(divergenceLines),
    ...(diverged.length > SHOWN_DIVERGENCES
      ? [`  and ${countedText(diverged.length - SHOWN_DIVERGENCES, 'further divergence')}`]
      : []),
    ...notes.flatMap((note) => wrapped(`  ${note}`, '    ')),
    ...(details ? findings.flatMap((finding) => ['', ...findingLines(finding, paint)]) : []),
  ];
};

/** Columns of an ordinary terminal. */
const WIDTH = 80;

/** Verdicts by strategy: which are safe is told by colour, which were seen by the columns. */
export const verdictTable = (results: readonly ReplayResult[], paint: Paint): string[] => {
  const seen = verdictNames.filter((name) => results.some(({ verdicts }) => (verdicts[name] ?? 0) > 0));
  const short = seen.map((name) =>
    name.replace('wrong-object', 'wrong').replace('recovered', 'recov.').replace('malformed', 'malf.'),
  );
  const rows = results.map((result) => {
    const tally = result.restarts[0]?.tally;
    const messages = Object.values(tally?.messages ?? {}).reduce((sum, count) => sum + count, 0);
    return [
      `${result.strategy}${result.aslr === 'off' ? ' (no aslr)' : ''}`,
      result.outcome,
      tally === undefined ? '' : `${tally.survived}/${tally.lost}/${tally.wronglyKept}`,
      String(messages),
      ...seen.map((name) => String(result.verdicts[name] ?? '')),
    ];
  });
  const tables = fittedTables(
    { head: ['STRATEGY', 'OUTCOME', 'KEPT/LOST/WRONG', 'MSGS', ...short], rows },
    WIDTH,
  );
  return tables.flatMap(([head = '', ...lines], table) => [
    ...(table === 0 ? [] : ['']),
    paint.bold(head),
    ...lines.map((line, i) => (results[i]?.outcome === 'unsafe' ? paint.red(line) : line)),
  ]);
};
