/** What a campaign came to, for people and for programs. */

import type { CampaignStatus } from '../fuzz/campaign.js';
import type { Finding } from '../fuzz/finding.js';
import type { FuzzResult } from '../fuzz/fuzz.js';
import { verdictNames } from '../oracle/verdict.js';
import { findingLine } from './finding.js';
import { type FindingDocument, findingDocument } from './findings-json.js';
import type { Paint } from './paint.js';
import { commandText, plain } from './plain.js';
import { clockText, countedText, countText } from './units.js';
import { wrapped } from './wrap.js';

/** Where findings are, and which are known and accepted. */
export interface Filing {
  readonly pathOf: (finding: Finding) => string;
  /** Ids of the baseline. */
  readonly accepted: ReadonlySet<string>;
}

/** `relight fuzz --json`. */
export interface CampaignDocument {
  readonly cases: number;
  /** Cases in a second of playing; the time for looking into suspects is not counted. */
  readonly casesPerSecond: number;
  readonly restarts: number;
  readonly trials: number;
  readonly elapsedMs: number;
  readonly combinations: number;
  readonly verdicts: CampaignStatus['verdicts'];
  readonly findings: readonly (FindingDocument & { readonly accepted: boolean })[];
  /** Signatures that did not show again often enough to be believed. */
  readonly dismissed: number;
  readonly seed: number;
  readonly notes: readonly string[];
}

const rateOf = ({ cases, playedMs }: CampaignStatus): number =>
  playedMs === 0 ? 0 : Math.round((cases * 1000) / playedMs);

/** The document of a campaign. */
export const campaignDocument = (
  { status, findings }: FuzzResult,
  { pathOf, accepted }: Filing,
): CampaignDocument => {
  const { cases, restarts, trials, elapsedMs, combinations, verdicts, dismissed, seed, notes } = status;
  return {
    ...{ cases, restarts, trials, elapsedMs, combinations, verdicts, dismissed, seed, notes },
    casesPerSecond: rateOf(status),
    findings: findings.map((finding) => ({
      ...findingDocument(finding, pathOf(finding)),
      accepted: accepted.has(finding.id),
    })),
  };
};

/** Where a campaign is, on one line. */
export const progressLine = (status: CampaignStatus): string => {
  const { elapsedMs, cases, restarts, findings, combinations } = status;
  return [
    clockText(elapsedMs / 1000),
    countedText(cases, 'case'),
    `${countText(rateOf(status))}/s`,
    countedText(restarts, 'restart'),
    `${countText(combinations)} kinds seen`,
    countedText(findings, 'finding'),
  ].join('  ');
};

const verdictsLine = ({ verdicts }: CampaignStatus): string =>
  verdictNames
    .flatMap((name) => (verdicts[name] === undefined ? [] : [`${name} ${countText(verdicts[name])}`]))
    .join(', ');

/** The report of a campaign. */
export const campaignLines = (
  { status, findings }: FuzzResult,
  { pathOf, accepted }: Filing,
  paint: Paint,
): string[] => {
  const fresh = findings
    .filter(({ id }) => !accepted.has(id))
    .sort((a, b) => Number(a.isHostile) - Number(b.isHostile));
  const known = findings.length - fresh.length;
  return [
    `${countedText(status.cases, 'case')} in ${clockText(status.elapsedMs / 1000)}, ${countText(rateOf(status))} a second, ${countedText(status.restarts, 'restart')}, seed ${status.seed}`,
    ...wrapped(verdictsLine(status), '  '),
    ...status.notes.flatMap((note) => wrapped(`note: ${plain(note)}`, '  ')),
    ...(status.dismissed > 0
      ? [`${countedText(status.dismissed, 'signature')} did not show again often enough`]
      : []),
    '',
    ...(fresh.length === 0 ? [paint.green('no findings')] : fresh.map((one) => findingLine(one, paint))),
    ...(known > 0 ? [`${countedText(known, 'finding')} of the baseline not shown`] : []),
    ...fresh
      .slice(0, 1)
      .map((one) => paint.dim(`relight show ${commandText([pathOf(one)])} explains the first one`)),
  ];
};
