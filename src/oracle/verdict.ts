/** The words for what a server did with a stale id, and how they weigh against each other. */

/** What a server did with one stale id. */
export type Verdict =
  | 'rejected'
  | 'recovered'
  | 'not-sent'
  | 'unknown'
  | 'malformed'
  | 'leak'
  | 'hang'
  | 'twice'
  | 'lost'
  | 'poison'
  | 'wrong-object'
  | 'abort'
  | 'crash';

/** What a verdict means; `safe` is absent where nobody can tell. */
export interface VerdictRow {
  readonly meaning: string;
  readonly safe: boolean | undefined;
}

/**
 * All verdicts, the harmless first: of two about one request the later counts. So a stale FORGET after which an id of the new
 * incarnation does not work is `poison`, and one after which using such an id ends the server is `crash` or `abort`.
 */
export const verdicts: Readonly<Record<Verdict, VerdictRow>> = {
  'not-sent': { safe: true, meaning: 'the strategy did not use the stale id' },
  rejected: { safe: true, meaning: 'an error reply that says so, or no effect at all' },
  unknown: { safe: undefined, meaning: 'not enough evidence to tell' },
  recovered: { safe: true, meaning: 'a good reply about the same object' },
  malformed: { safe: false, meaning: 'a reply that the real kernel would refuse' },
  leak: { safe: false, meaning: 'a good reply whose bytes belong to no object' },
  hang: { safe: false, meaning: 'no reply within the limit while the server lives' },
  twice: { safe: false, meaning: 'a resent request took effect a second time' },
  lost: { safe: false, meaning: 'a change was acknowledged and no object shows it' },
  poison: { safe: false, meaning: 'an id that the new incarnation handed out broke by it' },
  'wrong-object': {
    safe: false,
    meaning: 'a good reply about another object, or another object was changed',
  },
  abort: { safe: false, meaning: 'the server ended itself' },
  crash: { safe: false, meaning: 'the server misused its memory' },
};

/** Every verdict, the harmless first. */
export const verdictNames = Object.keys(verdicts) as readonly Verdict[];

const ranks = new Map(verdictNames.map((name, rank) => [name, rank]));

/** Whether a verdict means that a restart is not safe; `unknown` does not. */
export const isUnsafe = (verdict: Verdict): boolean => verdicts[verdict].safe === false;

/** Which stale ids a request used. */
export type StaleKind = 'node' | 'handle' | 'node+handle' | 'none';

/** Something that has to be looked at before the verdict is final. */
export type FollowUp =
  /** Ask for the attributes by the same stale ids: the reply did not tell which object it was about. */
  | 'identify'
  /** Read the objects again: the meant one has to show the change, the others must not. */
  | 'effects'
  /** Use every node and handle that the new incarnation handed out. */
  | 'liveIds';

/** What was found about one request, fit for a bug report. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Operation, or `opcode N`. */
  readonly op: string;
  readonly idKind: StaleKind;
  /** The stale id's symbol in the plan; absent when there is none. */
  readonly symbol: number | undefined;
  /** Equal for two judgements that show the same fault. */
  readonly signature: string;
  /** Sentences without a full stop, the request first. */
  readonly evidence: readonly string[];
  readonly followUps: readonly FollowUp[];
}

/** The judgement that counts of several about one request: the gravest, with what the others add to its evidence. */
export const gravest = (first: Judgement, ...others: readonly Judgement[]): Judgement => {
  const all = [first, ...others];
  const rank = ({ verdict }: Judgement): number => ranks.get(verdict) ?? 0;
  const top = all.reduce((worst, one) => (rank(one) > rank(worst) ? one : worst));
  const evidence = [...new Set(all.flatMap((one) => one.evidence))];
  return { ...top, evidence, followUps: [] };
};

/** A judgement with what a follow-up found, if anything: that stands in place of `unknown`, else the graver one counts. */
export const completed = (first: Judgement, found: Judgement | undefined): Judgement => {
  if (found === undefined) return first;
  if (first.verdict !== 'unknown') return gravest(first, found);
  return { ...found, evidence: [...new Set([...first.evidence, ...found.evidence])], followUps: [] };
};
