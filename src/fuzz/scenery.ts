/** What there is on a stage while a life runs. */

import type { Bindings } from '../plan/bindings.js';
import type { Conversation } from './conversation.js';
import { filled } from './fill.js';
import type { Lawful } from './lawful.js';
import type { Life } from './life.js';
import { addressOf } from './memory-spots.js';
import type { Bench } from './observe.js';
import type { Preparation } from './preparation.js';
import type { Era, World } from './world.js';

/** A running life, and what is known about it. */
export interface Scenery {
  readonly preparation: Preparation;
  readonly bindings: Bindings;
  readonly world: World;
  readonly life: Life;
  readonly talk: Conversation;
  readonly era: Era;
  readonly lawful: Lawful;
}

/** Binds the numbers that are places in the memory of a life; a place that it does not have stays unbound. */
export const bindMemory = ({ preparation, era, bindings, life }: Scenery): void => {
  const maps = once(() => life.maps);
  for (const { id, spot } of preparation.symbols) {
    if (spot?.incarnation !== era.life) continue;
    const address = addressOf(spot.place, maps());
    if (address !== undefined) bindings.set(id, address);
  }
};

/** What the oracle is asked with; the memory map is read when it is needed first. */
export const benchOf = ({ world, era, life, bindings }: Scenery): Bench => ({
  world,
  era,
  maps: once(() => life.maps),
  frameOf: (request) => filled(request, bindings),
});

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};
