/** What an audit came to, for programs, and what its reports have in common. */

import type { AuditResult } from '../fuzz/audit.js';
import type { Finding } from '../fuzz/finding.js';
import type { AuditRun, Sighted } from '../fuzz/matrix.js';
import { sightedIn } from '../fuzz/matrix.js';
import { idOf } from '../fuzz/triage.js';
import type { IdReport } from '../oracle/id-observer.js';
import type { Verdict } from '../oracle/verdict.js';
import { adviceOn } from './advice.js';
import type { Filing } from './campaign.js';
import { type ExitJson, exitJson } from './exit-text.js';
import { type FindingDocument, findingDocument } from './findings-json.js';
import { commandText } from './plain.js';

/** An audit, and what its reports need besides. */
export interface Audited extends Filing {
  readonly result: AuditResult;
  /** Of the tour's trace. */
  readonly ids: IdReport;
  /** The server's command. */
  readonly command: readonly string[];
  /** The tour's trace. */
  readonly trace: string;
  /** Paths that were put back. */
  readonly snapshot: readonly string[];
}

/** An unsafe judgement of a replay that is no finding of the campaign. */
export interface SightedDocument {
  readonly verdict: Verdict;
  readonly op: string;
  readonly idKind: string;
  readonly signature: string;
  readonly strategy: string;
  readonly aslr: string;
  readonly count: number;
  readonly evidence: readonly string[];
  readonly advice: string;
  /** Command line that shows it again. */
  readonly repro: string;
}

/** `relight audit --json`. */
export interface AuditDocument {
  readonly outcome: 'same' | 'diverged' | 'unsafe';
  readonly grade: string;
  /** The rule that gave it. */
  readonly rule: string;
  readonly ids: IdReport;
  /** Worst verdict by strategy and operation. */
  readonly matrix: Readonly<Record<string, Readonly<Record<string, Verdict>>>>;
  readonly requests: number;
  readonly matched: number;
  readonly diverged: AuditRun['result']['diverged'];
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
  /** Of the campaign: confirmed, minimised, each a file. */
  readonly findings: readonly (FindingDocument & { readonly accepted: boolean; readonly advice: string })[];
  /** Of the replays, unless the campaign found the same. */
  readonly sighted: readonly SightedDocument[];
  readonly exits: readonly (ExitJson & {
    readonly strategy: string;
    readonly aslr: string;
    readonly incarnation: number;
  })[];
  /** Null when it could not be held. */
  readonly campaign: { readonly cases: number; readonly restarts: number } | null;
  readonly trace: string;
  readonly seed: number;
  readonly elapsedMs: number;
  readonly notes: readonly string[];
}

/** Unsafe judgements of the replays that no finding stands for and the baseline does not accept. */
export const otherSightings = ({ result, accepted }: Audited): Sighted[] => {
  const known = new Set((result.campaign?.findings ?? []).map(({ signature }) => signature));
  return sightedIn(result.runs).filter(
    ({ signature }) => !known.has(signature) && !accepted.has(idOf(signature)),
  );
};

/** Findings that the baseline does not accept. */
export const freshFindings = ({ result, accepted }: Audited): Finding[] =>
  (result.campaign?.findings ?? []).filter(({ id }) => !accepted.has(id));

/** What a restart leads to, the gravest that was seen; what is accepted does not count. */
export const auditOutcome = (audited: Audited): AuditDocument['outcome'] => {
  if (freshFindings(audited).length > 0 || otherSightings(audited).length > 0) return 'unsafe';
  const { runs, tour } = audited.result;
  const differs = runs.some(({ result }) => result.diverged.length > 0 || result.failures.length > 0);
  return differs || tour.ending === 'died' || tour.ending === 'hang' ? 'diverged' : 'same';
};

/** Command line of the replay that came to a judgement. */
export const replayCommand = ({ run }: Sighted, { trace, snapshot }: Audited): string => {
  const { result, relookup, whileDown } = run;
  return commandText([
    ...['relight', 'replay', trace, '--restart-at', 'end', '--strategy', result.strategy],
    ...(result.aslr === 'off' ? ['--aslr', 'off'] : []),
    ...(relookup === 'same' ? [] : ['--relookup', relookup]),
    ...(whileDown === undefined ? [] : ['--while-down', whileDown]),
    ...(snapshot.length === 0 ? [] : ['--probe', 'write']),
    ...snapshot.flatMap((path) => ['--snapshot', path]),
    '--recorded',
  ]);
};

const sightedDocument = (sighted: Sighted, audited: Audited): SightedDocument => {
  const { judgement, signature, count, run } = sighted;
  const { verdict, op, idKind, evidence } = judgement;
  return {
    ...{ verdict, op, idKind, signature, count, evidence },
    ...{ strategy: run.result.strategy, aslr: run.result.aslr },
    advice: adviceOn({ verdict, op, idKind, isHostile: false }, audited.ids),
    repro: replayCommand(sighted, audited),
  };
};

const sumOf = (runs: readonly AuditRun[], of: 'requests' | 'matched'): number =>
  runs.reduce((sum, { result }) => sum + result[of], 0);

const verdictsOf = (runs: readonly AuditRun[]): Partial<Record<Verdict, number>> => {
  const sum: Partial<Record<Verdict, number>> = {};
  for (const { result } of runs)
    for (const { verdict } of result.judgements) sum[verdict] = (sum[verdict] ?? 0) + 1;
  return sum;
};

/** The document of an audit. */
export const auditDocument = (audited: Audited): AuditDocument => {
  const { result, ids, trace, pathOf, accepted } = audited;
  const { runs, matrix, campaign, graded, seed, elapsedMs, notes } = result;
  return {
    outcome: auditOutcome(audited),
    grade: graded.grade,
    rule: graded.why,
    ids,
    matrix: Object.fromEntries([...matrix].map(([strategy, ops]) => [strategy, Object.fromEntries(ops)])),
    requests: sumOf(runs, 'requests'),
    matched: sumOf(runs, 'matched'),
    diverged: runs.flatMap((run) => run.result.diverged),
    verdicts: verdictsOf(runs),
    findings: (campaign?.findings ?? []).map((finding) => ({
      ...findingDocument(finding, pathOf(finding)),
      accepted: accepted.has(finding.id),
      advice: adviceOn(finding, ids),
    })),
    sighted: otherSightings(audited).map((one) => sightedDocument(one, audited)),
    exits: runs.flatMap((run) =>
      run.result.exits.map((exit, incarnation) => ({
        ...{ strategy: run.result.strategy, aslr: run.result.aslr, incarnation },
        ...exitJson(exit),
      })),
    ),
    campaign:
      campaign === undefined ? null : { cases: campaign.status.cases, restarts: campaign.status.restarts },
    trace,
    seed,
    elapsedMs,
    notes,
  };
};
