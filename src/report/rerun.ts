/** What running a finding again came to, for people and for programs. */

import type { Finding } from '../fuzz/finding.js';
import type { Rerun, Smaller } from '../fuzz/rerun.js';
import type { Verdict } from '../oracle/verdict.js';
import { subjectText } from './finding.js';
import { type FindingDocument, findingDocument } from './findings-json.js';
import type { Paint } from './paint.js';
import { plain } from './plain.js';
import { countedText } from './units.js';
import { wrapped } from './wrap.js';

/** `relight repro --json`. */
export interface RerunDocument {
  readonly outcome: 'shown' | 'other' | 'gone';
  readonly reliability: { readonly k: number; readonly n: number };
  readonly verdict: Verdict;
  readonly signature: string;
  /** Of the last run that showed it; else of the last run. */
  readonly evidence: readonly string[];
  /** Unsafe verdicts of the last run. */
  readonly last: readonly { readonly verdict: Verdict; readonly signature: string }[];
  /** In how many runs other unsafe signatures were seen. */
  readonly others: Readonly<Record<string, number>>;
  readonly finding: FindingDocument;
}

/** Whether the finding showed, something else that is unsafe did, or neither. */
export const outcomeOf = ({ shown, others }: Rerun): RerunDocument['outcome'] => {
  if (shown !== undefined) return 'shown';
  return others.size > 0 ? 'other' : 'gone';
};

const evidenceOf = ({ shown, last }: Rerun): readonly string[] => (shown ?? last[0])?.evidence ?? [];

/** The document of some runs; `path` is the finding's file. */
export const rerunDocument = (finding: Finding, path: string, result: Rerun): RerunDocument => ({
  outcome: outcomeOf(result),
  reliability: result.reliability,
  verdict: finding.verdict,
  signature: finding.signature,
  evidence: evidenceOf(result),
  last: result.last.map(({ verdict, signature }) => ({ verdict, signature })),
  others: Object.fromEntries(result.others),
  finding: findingDocument(finding, path),
});

/** The same in a few lines. */
export const rerunLines = (finding: Finding, result: Rerun, paint: Paint): string[] => {
  const { reliability, others, last } = result;
  const { k, n } = reliability;
  const brush = { shown: paint.red, other: paint.yellow, gone: paint.green }[outcomeOf(result)];
  const lastVerdict = last[0]?.verdict ?? 'nothing to judge';
  return [
    `${brush(`${k} of ${n}`)}  ${finding.verdict}: ${plain(subjectText(finding))}`,
    ...(k === 0 ? [`  it did not show; the last run: ${lastVerdict}`] : []),
    ...evidenceOf(result).flatMap((line) => wrapped(`  ${plain(line)}`, '    ')),
    ...[...others].flatMap(([signature, count]) =>
      wrapped(`  in ${countedText(count, 'run')} something else: ${plain(signature)}`, '    '),
    ),
  ];
};

/** `relight minimise --json`. */
export interface SmallerDocument {
  readonly outcome: Smaller['kind'];
  /** Steps before and now. */
  readonly steps: { readonly before: number; readonly after: number };
  /** Null when it does not show any more. */
  readonly finding: FindingDocument | null;
}

/** The document of an attempt to make `given` smaller; `path` is the new finding's file. */
export const smallerDocument = (given: Finding, path: string, result: Smaller): SmallerDocument => {
  const finding = result.kind === 'gone' ? undefined : result.finding;
  return {
    outcome: result.kind,
    steps: { before: given.plan.steps.length, after: (finding ?? given).plan.steps.length },
    finding: finding === undefined ? null : findingDocument(finding, path),
  };
};

/** The same in a few lines. */
export const smallerLines = (given: Finding, path: string, result: Smaller, paint: Paint): string[] => {
  if (result.kind === 'gone') return rerunLines(given, result.rerun, paint);
  const { finding } = result;
  const { k, n } = finding.reliability;
  const from = countedText(given.plan.steps.length, 'step');
  const what =
    result.kind === 'smaller' ? `${from} became ${finding.plan.steps.length}` : `no smaller than its ${from}`;
  return [`${what}, seen in ${k} of ${n} runs: ${plain(path)}`];
};
