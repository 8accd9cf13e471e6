/** All planted bugs by name, and the memfs that has one of them. */

import type { MemfsVariation } from '../memfs.js';
import type { MemfsOptions } from '../options.js';
import { carefulHandlers, countedNodes, safest } from './careful.js';
import { handleBugs } from './handle-bugs.js';
import { lostBugs } from './lost-bugs.js';
import { messageBugs } from './message-bugs.js';
import { nodeBugs } from './node-bugs.js';
import { numberingBugs } from './numbering-bugs.js';
import type { PlantedBug } from './planted-bug.js';
import { replyBugs } from './reply-bugs.js';
import { resendBugs } from './resend-bugs.js';
import { sessionBugs } from './session-bugs.js';

/** The table of the benchmark. */
export const plantedBugs: readonly PlantedBug[] = [
  ...numberingBugs,
  ...nodeBugs,
  ...handleBugs,
  ...messageBugs,
  ...replyBugs,
  ...sessionBugs,
  ...lostBugs,
  ...resendBugs,
];

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
