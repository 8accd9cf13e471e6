/**
 * The cast, its seeds and its lives as a life has them: by the session that it settled and what it looks up. Each is worked out
 * once. Which life that is, and how it came to its session, is not known here.
 */

import { rng } from '../base/rng.js';
import type { Plan } from '../plan/plan.js';
import type { Negotiated } from '../protocol/negotiated.js';
import { type Cast, castFrom, castUnder } from './cast.js';
import type { Environment } from './environment.js';
import type { Preparation } from './preparation.js';
import { firstLife, laterLife } from './prologue.js';
import { type Seeds, seedsOf } from './seeds.js';

type Relookup = Environment['relookup'];

/** What a map has for a key; made when it has nothing. */
const among = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};

/** Everything that layouts depend on: sessions that agree in it take the same frames. */
const layoutsOf = ({ minor, flags }: Negotiated): string => `${minor} ${flags}`;

/** The castings of one plan. */
export class Castings {
  /** The cast of a life that looked up and opened everything, in the plan's session. */
  readonly cast: Cast;
  readonly #plan: Plan;
  readonly #seed: number;
  readonly #sessions = new Map<string, Negotiated>();
  readonly #casts = new Map<string, Cast>();
  readonly #seeds = new Map<Negotiated, Seeds>();
  readonly #preparations = new Map<string, Preparation>();

  /** `seed` is that of the order in which later lives look things up, and of the choice of seeds. */
  constructor(plan: Plan, seed: number) {
    this.#plan = plan;
    this.#seed = seed;
    this.cast = castFrom(plan);
    this.sessionLike(plan.negotiated);
  }

  /** The session that stands for all those with its layouts; that of the plan for its own. */
  sessionLike(session: Negotiated): Negotiated {
    return among(this.#sessions, layoutsOf(session), () => session);
  }

  /** The cast of a life. */
  castIn(session: Negotiated, relookup: Relookup): Cast {
    const settled = this.sessionLike(session);
    return among(this.#casts, `${layoutsOf(settled)} ${relookup}`, () =>
      castUnder(this.cast, relookup, settled),
    );
  }

  /** The requests to start from in a session. */
  seedsIn(session: Negotiated): Seeds {
    const settled = this.sessionLike(session);
    return among(this.#seeds, settled, () =>
      seedsOf(this.#plan, this.castIn(settled, 'shuffled+open'), rng(this.#seed)),
    );
  }

  /** The lives up to the cases, the last one in a session; the same for the same arguments. */
  preparationIn(session: Negotiated, relookup: Relookup): Preparation {
    return among(this.#preparations, `${layoutsOf(session)} ${relookup}`, () => ({
      symbols: this.cast.symbols,
      init: this.#plan.init,
      lives: [firstLife(this.cast), laterLife(this.castIn(session, relookup), relookup, rng(this.#seed))],
    }));
  }
}
