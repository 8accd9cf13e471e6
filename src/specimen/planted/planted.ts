/** All planted bugs by name, and the memfs that has one of them. */

import type { MemfsVariation } from '../memfs.js';
import type { MemfsOptions } from '../options.js';
import { carefulHandlers, countedNodes, safest } from './careful.js';
import { numberingBugs } from './numbering-bugs.js';
import type { PlantedBug } from './planted-bug.js';

/** The table of the benchmark. */
export const plantedBugs: readonly PlantedBug[] = [...numberingBugs];

/** A memfs with a bug or without it. */
export interface Planting {
  readonly bug: PlantedBug;
  /** Whether it is the twin. */
  readonly fixed: boolean;
}

/** What a memfs is made from, with `options` for everything that the bug is not about. */
export interface Planted {
  readonly options: MemfsOptions;
  readonly variation: Partial<MemfsVariation>;
}

/** Plants a bug, or makes the twin; for one incarnation only. */
export const plantedMemfs = (options: MemfsOptions, { bug, fixed }: Planting): Planted => {
  const { wrapHandlers, wrapNodes, ...others } = bug.parts?.(fixed) ?? {};
  return {
    options: { ...options, ...safest, ...bug.policy?.(fixed) },
    variation: {
      ...others,
      wrapHandlers: (handlers, world) => {
        const careful = carefulHandlers(handlers);
        return wrapHandlers?.(careful, world) ?? careful;
      },
      wrapNodes: (nodes, world) => {
        const counted = countedNodes(nodes);
        return wrapNodes?.(counted, world) ?? counted;
      },
    },
  };
};
