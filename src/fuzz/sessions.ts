/** The sessions that the lives of a server settled: one object for each, since much is worked out once for each. */

import { type Shape, shapesOf } from '../kernel/shape.js';
import type { Negotiated } from '../protocol/negotiated.js';

/** A session, and what its frames look like. */
export interface Session {
  readonly negotiated: Negotiated;
  /** By opcode. */
  readonly shapes: ReadonlyMap<number, Shape>;
}

/** The sessions met so far. */
export class Sessions {
  readonly #known = new Map<string, Session>();

  /** The one object for all sessions that are equal to this one. */
  of(negotiated: Negotiated): Session {
    const words = JSON.stringify(negotiated, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    const known = this.#known.get(words);
    if (known !== undefined) return known;
    const session = { negotiated, shapes: shapesOf(negotiated) };
    this.#known.set(words, session);
    return session;
  }
}
