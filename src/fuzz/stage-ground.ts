/** A stage as a campaign's ground: a cast for each life, and after each batch a look at what it did. */

import { RelightError } from '../base/error.js';
import { isUnsafe, type Judgement } from '../oracle/verdict.js';
import type { Negotiated } from '../protocol/negotiated.js';
import type { Case } from './case.js';
import type { Castings } from './castings.js';
import type { Environment } from './environment.js';
import type { Beginning, Ground, Holdings, Played, Suspicion, Trouble } from './ground.js';
import { asksForChange, givesUpIds } from './lawful.js';
import type { Preparation, Prepare } from './preparation.js';
import type { Replies } from './report.js';
import type { Stage } from './stage.js';

/** Cases to be tried alone when ids or objects broke and no reply told why. */
const MOST_SUSPECTS = 4;

/** A ground on a stage, which belongs to the caller. */
export class StageGround implements Ground {
  readonly #stage: Stage;
  readonly #castings: Castings;
  /** By what was offered, the session that was settled last. */
  readonly #settled = new Map<string, Negotiated>();
  /** What the first life, whose ids are old, was started with. */
  #firstLife: string | undefined;

  constructor(stage: Stage, castings: Castings) {
    this.#stage = stage;
    this.#castings = castings;
  }

  get holdings(): Holdings | undefined {
    return this.#stage.isUp ? this.#stage.holdings : undefined;
  }

  /** What lives settle that are offered this; the plan's session before there was one. */
  sessionIn(environment: Environment): Negotiated {
    return this.#settled.get(offerIn(environment)) ?? this.#castings.cast.negotiated;
  }

  /** How the lives are prepared in an environment that one began in: always by the same steps. */
  preparationFor(environment: Environment): Preparation {
    return this.#castings.preparationIn(this.sessionIn(environment), environment.relookup);
  }

  async begin(environment: Environment): Promise<Beginning> {
    const { aslr, mallocPerturb, relookup } = environment;
    const wanted = `${aslr} ${mallocPerturb}`;
    const { cast } = this.#castings;
    const prepare: Prepare = (settled = cast.negotiated) => this.#castings.preparationIn(settled, relookup);
    try {
      if (this.#firstLife === wanted) await this.#stage.restart(prepare, environment);
      else await this.#stage.begin(prepare, environment);
      this.#firstLife = wanted;
      this.#settled.set(offerIn(environment), this.#castings.sessionLike(this.#stage.session));
      return { kind: 'up' };
    } catch (error) {
      this.#firstLife = undefined;
      if (error instanceof RelightError && error.code === 'server')
        return { kind: 'failed', why: error.message };
      throw error;
    }
  }

  async play(cases: readonly Case[]): Promise<Played> {
    const replies = await this.#stage.play(cases);
    const { observations, suspicions } = replies;
    if (replies.trouble !== undefined) return { observations, suspicions, trouble: replies.trouble };
    const broken = worst(await this.#stage.check());
    if (broken !== undefined) {
      const suspects = suspectsOf(cases, replies);
      return {
        observations,
        suspicions,
        trouble: { kind: this.#kindOf(broken), judgement: broken, suspects },
      };
    }
    return { observations, ...(await this.#examined(cases, replies)) };
  }

  /** Cases whose replies leave open what they did are tried again, each alone. */
  async #examined(
    cases: readonly Case[],
    { doubtful, suspicions }: Replies,
  ): Promise<Pick<Played, 'suspicions' | 'trouble'>> {
    const all: Suspicion[] = [...suspicions];
    for (const index of doubtful) {
      const one = cases[index];
      const judgement = one && worst(await this.#stage.examine(one));
      if (judgement === undefined) continue;
      if (!this.#stage.isUp) {
        const trouble: Trouble = { kind: this.#kindOf(judgement), judgement, suspects: [index] };
        return { suspicions: all, trouble };
      }
      all.push({ index, judgement });
    }
    return { suspicions: all, trouble: undefined };
  }

  #kindOf({ verdict }: Judgement): Trouble['kind'] {
    if (this.#stage.isUp) return 'broken';
    return verdict === 'hang' ? 'hang' : 'ended';
  }
}

/** What an environment has of INIT. */
const offerIn = ({ minor, withoutFlags }: Environment): string => `${minor} ${withoutFlags}`;

const worst = (judgements: readonly Judgement[]): Judgement | undefined =>
  judgements.find(({ verdict }) => isUnsafe(verdict));

/** Cases that changed something or gave something back, the last first: one of each mutator and operation. */
const suspectsOf = (cases: readonly Case[], { observations }: Replies): number[] => {
  const found = new Map<string, number>();
  for (let index = cases.length - 1; index >= 0 && found.size < MOST_SUSPECTS; index--) {
    const one = cases[index];
    const isRefused = (observations[index]?.errno ?? 0) !== 0;
    if (
      one === undefined ||
      isRefused ||
      !one.requests.some((each) => asksForChange(each) || givesUpIds(each))
    )
      continue;
    const kind = `${one.mutator} ${one.op}`;
    if (!found.has(kind)) found.set(kind, index);
  }
  return [...found.values()];
};
