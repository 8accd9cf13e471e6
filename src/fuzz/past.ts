/** What the lives of a server told of its objects, kept for those that come after them. It knows no processes. */

import type { Negotiated } from '../protocol/negotiated.js';
import type { Preparation } from './preparation.js';
import type { Told } from './preparer.js';
import type { Look } from './survey.js';
import { type Era, World } from './world.js';

/** What a life told of its objects. */
export interface Memory {
  readonly era: Era;
  readonly told: readonly Told[];
  readonly look: Look;
}

/** Adds what a life told to what is known. */
export const remember = (world: World, { era, told, look }: Memory): void => {
  for (const { step, reply } of told) world.learn(step, reply, era);
  for (const { object, result } of look.uses.values())
    if (result.kind === 'good') world.meet(object, result.told, era);
};

/** The lives before the last one. */
export class Past {
  readonly #memories: Memory[] = [];

  /** Keeps what a life told that is over. */
  add(memory: Memory): void {
    this.#memories.push(memory);
  }

  /** What is known when a life begins under `negotiated`: nothing of an earlier try of the same life. */
  worldFor(preparation: Preparation, negotiated: Negotiated): World {
    const world = new World(preparation, this.#memories[0]?.era.negotiated ?? negotiated);
    for (const memory of this.#memories) remember(world, memory);
    return world;
  }
}
