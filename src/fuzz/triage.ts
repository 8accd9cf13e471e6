/**
 * Turns suspects into findings: one for each signature, run again on fresh servers before it is believed, made small, and
 * run again as it will be kept. What it runs on is not known here.
 */

import { createHash } from 'node:crypto';
import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import type { Plan } from '../plan/plan.js';
import type { Case } from './case.js';
import type { Environment } from './environment.js';
import type { Finding, Reliability } from './finding.js';

/** Cases that did something unsafe together, as far as the campaign could tell. */
export interface Suspect {
  readonly cases: readonly Case[];
  readonly environment: Environment;
  readonly judgement: Judgement;
}

/** What triage relies on. */
export interface TriageParts {
  /** The plan that mints what the cases use, restarts, and sends them. */
  readonly planOf: (cases: readonly Case[], environment: Environment) => Plan;
  /** Runs a plan on fresh servers; every judgement of it, the unsafe ones among them. */
  readonly trial: (plan: Plan, environment: Environment) => Promise<readonly Judgement[]>;
  /** A smaller plan that still does what the predicate says. */
  readonly minimise: (plan: Plan, stillFails: (plan: Plan) => Promise<boolean>) => Promise<Plan>;
  /** Whether a correct kernel can send what a mutator makes. */
  readonly isSendable: (mutator: string) => boolean;
  /** Told of a verdict that was seen again often enough, before the plan is made smaller. */
  readonly onBelieved?: (judgement: Judgement) => void;
  /** What every finding of this campaign has. */
  readonly common: Pick<Finding, 'command' | 'snapshot' | 'seed' | 'versions'>;
}

/** What became of a suspect. `unconfirmed`: it did not show again often enough. */
export type Triaged =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'known'; readonly id: string }
  | { readonly kind: 'unconfirmed'; readonly reliability: Reliability };

/** Runs before a finding is believed, and how many of them must show it. */
const RUNS = 5;
const BELIEVED = 4;
/** Runs after which a signature that was never believed is given up: the next case may show it without what was there by chance. */
const MOST_RUNS = 8;

const DIGITS = 16;

/** Name of a finding, from its signature. */
export const idOf = (signature: string): string =>
  createHash('sha256').update(signature).digest('hex').slice(0, DIGITS);

/** What two findings of one fault have in common. */
export const signatureOf = ({ verdict, signature }: Judgement): string =>
  signature.startsWith(verdict) ? signature : `${verdict} ${signature}`;

interface Confirmed {
  readonly judgement: Judgement;
  readonly reliability: Reliability;
}

/** Keeps the findings of one campaign. */
export class Triage {
  readonly #parts: TriageParts;
  readonly #findings = new Map<string, Finding>();
  /** Signatures that were looked into and not believed. */
  readonly #dismissed = new Map<string, Reliability>();
  #trials = 0;

  constructor(parts: TriageParts) {
    this.#parts = parts;
  }

  /** The findings so far, in the order in which they were believed. */
  get findings(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  /** Runs on fresh servers so far. */
  get trials(): number {
    return this.#trials;
  }

  /** Signatures that did not show again often enough. */
  get dismissed(): ReadonlyMap<string, Reliability> {
    return this.#dismissed;
  }

  /** Whether a judgement shows what is known already, so that nothing has to be run. */
  isKnown(judgement: Judgement): boolean {
    const signature = signatureOf(judgement);
    return this.#findings.has(signature) || (this.#dismissed.get(signature)?.n ?? 0) >= MOST_RUNS;
  }

  /** Takes what an earlier session of the same campaign came to. */
  resume(findings: readonly Finding[], dismissed: ReadonlyMap<string, Reliability>): void {
    for (const finding of findings) this.#findings.set(finding.signature, finding);
    for (const [signature, reliability] of dismissed) this.#dismissed.set(signature, reliability);
  }

  /** Looks into a suspect. */
  async consider(suspect: Suspect): Promise<Triaged> {
    const { environment, judgement } = suspect;
    if (this.isKnown(judgement)) return { kind: 'known', id: idOf(signatureOf(judgement)) };
    const plan = this.#parts.planOf(suspect.cases, environment);
    const confirmed = await this.#confirm(plan, environment);
    if ('n' in confirmed) return this.#dismiss(judgement, confirmed);
    if (this.isKnown(confirmed.judgement))
      return { kind: 'known', id: idOf(signatureOf(confirmed.judgement)) };
    this.#parts.onBelieved?.(confirmed.judgement);
    return { kind: 'finding', finding: await this.#kept(suspect, plan, confirmed) };
  }

  #dismiss(judgement: Judgement, reliability: Reliability): Triaged {
    const signature = signatureOf(judgement);
    const { k, n } = this.#dismissed.get(signature) ?? { k: 0, n: 0 };
    this.#dismissed.set(signature, { k: k + reliability.k, n: n + reliability.n });
    return { kind: 'unconfirmed', reliability };
  }

  /** Runs a plan up to five times; what it shows most often counts, when it is often enough. */
  async #confirm(plan: Plan, environment: Environment): Promise<Confirmed | Reliability> {
    const seen = new Map<string, Judgement[]>();
    const most = (): Judgement[] => [...seen.values()].sort((a, b) => b.length - a.length)[0] ?? [];
    for (let run = 1; run <= RUNS; run++) {
      const unsafe = await this.#unsafe(plan, environment);
      for (const [signature, judgement] of unsafe)
        seen.set(signature, [...(seen.get(signature) ?? []), judgement]);
      if (most().length + RUNS - run < BELIEVED) return { k: most().length, n: run };
    }
    const [judgement, ...others] = most();
    const reliability = { k: others.length + 1, n: RUNS };
    return judgement === undefined ? { k: 0, n: RUNS } : { judgement, reliability };
  }

  /** The unsafe judgements of one run by signature. */
  async #unsafe(plan: Plan, environment: Environment): Promise<ReadonlyMap<string, Judgement>> {
    this.#trials++;
    const judgements = await this.#parts.trial(plan, environment);
    const unsafe = judgements.filter(({ verdict }) => isUnsafe(verdict));
    return new Map(unsafe.map((judgement) => [signatureOf(judgement), judgement]));
  }

  /** The finding as it is kept: minimal, unless the smaller plan shows it less often than it must. */
  async #kept(suspect: Suspect, plan: Plan, confirmed: Confirmed): Promise<Finding> {
    const { environment } = suspect;
    const signature = signatureOf(confirmed.judgement);
    const shows = async (smaller: Plan): Promise<boolean> =>
      (await this.#unsafe(smaller, environment)).has(signature);
    const small = await this.#parts.minimise(plan, shows);
    const again = small === plan ? confirmed : await this.#confirm(small, environment);
    const isKept = 'judgement' in again && signatureOf(again.judgement) === signature;
    const { judgement, reliability } = isKept ? again : confirmed;
    const finding = this.#finding(suspect, { judgement, reliability, plan: isKept ? small : plan });
    this.#findings.set(signature, finding);
    this.#dismissed.delete(signature);
    return finding;
  }

  #finding(
    { cases, environment }: Suspect,
    { judgement, reliability, plan }: Confirmed & { readonly plan: Plan },
  ): Finding {
    const signature = signatureOf(judgement);
    const guilty = cases.at(-1);
    return {
      ...this.#parts.common,
      id: idOf(signature),
      signature,
      verdict: judgement.verdict,
      op: judgement.op,
      idKind: judgement.idKind,
      mutator: guilty?.mutator ?? '',
      relation: guilty?.relation ?? '',
      isHostile: cases.some(({ mutator }) => !this.#parts.isSendable(mutator)),
      evidence: judgement.evidence,
      plan,
      environment,
      reliability,
    };
  }
}
