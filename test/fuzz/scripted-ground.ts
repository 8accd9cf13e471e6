/** A server without processes: what it does follows from the nodeid of each request alone, by rules that a test gives. */

import type { Case } from '#relight/fuzz/case.js';
import type { Ground, Observation, Played, Suspicion, Trouble } from '#relight/fuzz/ground.js';
import { isUnsafe, type Judgement, type Verdict } from '#relight/oracle/verdict.js';
import { Composer } from '#relight/plan/compose.js';
import type { Plan } from '#relight/plan/plan.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { nodeidOf } from '#relight/protocol/header.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { operationNamed } from '#relight/protocol/operations.js';

/** Verdict about a request by operation and nodeid. */
export type Rule = (op: string, nodeid: bigint) => Verdict;

const ops = ['GETATTR', 'READLINK', 'OPENDIR'] as const;
export type ScriptedOp = (typeof ops)[number];

/** A case of one request about a node. */
export const scriptedCase = (op: ScriptedOp, nodeid: bigint): Case => ({
  mutator: 'nodeid.any',
  relation: 'stale',
  op,
  requests: [
    {
      op: operationNamed(op),
      bytes: encodeRequest({ name: op, header: { unique: 0n, nodeid } }, newestNegotiated),
      patches: [],
      resent: false,
    },
  ],
  wrong: 0,
  meant: [],
});

/** The plan of some cases: they mint nothing. */
export const scriptedPlan = (cases: readonly Case[]): Plan => {
  const composer = new Composer({ negotiated: newestNegotiated, init: undefined, initReply: undefined });
  for (const { requests } of cases)
    for (const { bytes } of requests) composer.step({ incarnation: 1, bytes, patches: [] });
  return composer.plan();
};

const judgementOf = (op: string, verdict: Verdict): Judgement => ({
  verdict,
  op,
  idKind: 'node',
  symbol: undefined,
  signature: `${verdict} ${op} node`,
  evidence: [`sent ${op}`],
  followUps: [],
});

const ends = (verdict: Verdict): boolean => verdict === 'crash' || verdict === 'abort';

/** What a plan shows under a rule. */
export const scriptedTrial = (rule: Rule, plan: Plan): Judgement[] => {
  const judgements: Judgement[] = [];
  for (const { op, template } of plan.steps) {
    const name = op?.name ?? '';
    judgements.push(judgementOf(name, rule(name, nodeidOf(template))));
    if (ends(judgements.at(-1)?.verdict ?? 'unknown')) break;
  }
  return judgements;
};

/** The ground. */
export class ScriptedGround implements Ground {
  readonly holdings = undefined;
  lives = 0;
  readonly #rule: Rule;
  readonly #observations = new Map<string, Observation>();

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  async begin(): Promise<{ kind: 'up' }> {
    this.lives++;
    return { kind: 'up' };
  }

  async play(cases: readonly Case[]): Promise<Played> {
    const observations: Observation[] = [];
    const suspicions: Suspicion[] = [];
    for (const [index, one] of cases.entries()) {
      const [request] = one.requests;
      const verdict = this.#rule(one.op, request === undefined ? 0n : nodeidOf(request.bytes));
      const judgement = judgementOf(one.op, verdict);
      // Replies that were under way are lost with the server: the one before is a suspect as well.
      if (ends(verdict)) {
        const trouble: Trouble = { kind: 'ended', judgement, suspects: [Math.max(0, index - 1), index] };
        return { observations, suspicions, trouble };
      }
      observations.push(this.#observe(one, judgement));
      if (isUnsafe(verdict)) suspicions.push({ index, judgement });
    }
    return { observations, suspicions, trouble: undefined };
  }

  #observe({ op, mutator, relation }: Case, { verdict, signature }: Judgement): Observation {
    const known = this.#observations.get(signature);
    const observation = known ?? { op, mutator, relation, verdict, errno: 0, signature };
    this.#observations.set(signature, observation);
    return observation;
  }
}

/** An arm for each operation. */
export const scriptedArms = ops.map((op) => ({ mutator: 'nodeid.any', op, weight: 1 }));
