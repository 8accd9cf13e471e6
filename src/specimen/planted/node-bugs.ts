/** Bugs in telling a nodeid of this incarnation from one of another, when both look alike in their lower half. */

import { randomBytes } from 'node:crypto';
import { nodeId } from '../../base/ids.js';
import type { Handler } from '../engine/handler.js';
import type { Heap } from '../ids/heap.js';
import { RECORD_SIZE } from '../ids/heap.js';
import { withRoot } from '../ids/node-ids.js';
import { type Known, tableIds } from '../ids/table-ids.js';
import { refuse } from '../store/refusal.js';
import { mix } from '../store/text.js';
import { countedNodes } from './careful.js';
import { halvedNodes, halves, type LikeNode } from './halves.js';
import type { Parts, PlantedBug } from './planted-bug.js';

const generationIgnored = (fixed: boolean): Partial<Parts> => {
  const numbering = halves<Known>();
  return {
    wrapNodes: (_policy, { store }) => {
      const nodes = countedNodes(withRoot(store, tableIds(store, numbering, 0n)));
      if (fixed) return nodes;
      const like: LikeNode = (nodeid) => nodeId(numbering.like(nodeid));
      return {
        ...nodes,
        find: (nodeid) => nodes.find(like(nodeid)),
        forget: (nodeid, nlookup) => nodes.forget(like(nodeid), nlookup),
      };
    },
  };
};

const addressSeed = (heap: Heap): number => Number((heap.allocate() / RECORD_SIZE) & 0xffff_ffffn);

const seededByAddress = (fixed: boolean): Partial<Parts> => ({
  wrapNodes: (_policy, { store, heap }) => {
    const seed = fixed ? randomBytes(4).readUInt32LE() : addressSeed(heap());
    let drawn = 0;
    const numbering = halves<Known>(() => BigInt(mix(seed, drawn++)));
    return countedNodes(withRoot(store, tableIds(store, numbering, 0n)));
  },
});

type MakesOrMoves = 'MKNOD' | 'MKDIR' | 'SYMLINK' | 'LINK' | 'CREATE';

/** A handler that takes the directory of the request's header for the one with the same lower half. */
const inDirectoryLike =
  <N extends MakesOrMoves>(like: LikeNode, handler: Handler<N>): Handler<N> =>
  (call) =>
    handler({ ...call, header: { ...call.header, nodeid: like(call.header.nodeid) } });

const movesTo =
  <N extends 'RENAME' | 'RENAME2'>(like: LikeNode, handler: Handler<N>): Handler<N> =>
  (call) =>
    handler({ ...call, fields: { ...call.fields, newdir: like(call.fields.newdir) } });

/** Sets first and asks later. */
const lateCheck =
  (like: LikeNode, handler: Handler<'SETATTR'>): Handler<'SETATTR'> =>
  (call) => {
    const { nodeid } = call.header;
    const answer = handler({ ...call, header: { ...call.header, nodeid: like(nodeid) } });
    return like(nodeid) === nodeid ? answer : refuse('ESTALE');
  };

/** Bugs of nodeids. */
export const nodeBugs = [
  {
    name: 'node-generation-ignored',
    summary: 'nodeids are an index and, in the upper half, a generation that is masked away',
    fix: 'the whole nodeid is compared',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object', 'poison'],
    ops: [],
    parts: generationIgnored,
  },
  {
    name: 'node-seeded-by-address',
    summary:
      'nodeids come from a generator seeded with an address, so they repeat without address randomisation',
    fix: 'the seed is random',
    mechanism: 'counter restart',
    verdicts: ['wrong-object', 'poison'],
    ops: [],
    parts: seededByAddress,
  },
  {
    name: 'forget-stale-counts',
    summary: 'a FORGET of a node of another incarnation takes lookups from the node that now has its index',
    fix: 'the whole nodeid is compared',
    mechanism: 'generation ignored',
    verdicts: ['poison'],
    ops: ['FORGET', 'BATCH_FORGET'],
    parts: (fixed) =>
      halvedNodes(fixed, ({ FORGET, BATCH_FORGET }, like) => ({
        FORGET: (call) => FORGET({ ...call, header: { ...call.header, nodeid: like(call.header.nodeid) } }),
        BATCH_FORGET: (call) => {
          const items = call.fields.items.map((item) => ({ ...item, nodeid: like(item.nodeid) }));
          return BATCH_FORGET({ ...call, fields: { ...call.fields, items } });
        },
      })),
  },
  {
    name: 'setattr-checked-late',
    summary:
      'SETATTR changes the node that has the index, then finds the generation wrong and answers ESTALE',
    fix: 'SETATTR looks at the generation first',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['SETATTR'],
    parts: (fixed) => halvedNodes(fixed, ({ SETATTR }, like) => ({ SETATTR: lateCheck(like, SETATTR) })),
  },
  {
    name: 'rename-stale-newdir',
    summary: 'RENAME compares only the index of the new directory, and moves the file into another one',
    fix: 'the whole nodeid is compared',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['RENAME', 'RENAME2'],
    parts: (fixed) =>
      halvedNodes(fixed, ({ RENAME, RENAME2 }, like) => ({
        RENAME: movesTo(like, RENAME),
        RENAME2: movesTo(like, RENAME2),
      })),
  },
  {
    name: 'make-stale-parent',
    summary: 'what makes a name compares only the index of its directory, and makes it in another one',
    fix: 'the whole nodeid is compared',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object'],
    ops: ['MKNOD', 'MKDIR', 'SYMLINK', 'LINK', 'CREATE'],
    parts: (fixed) =>
      halvedNodes(fixed, ({ MKNOD, MKDIR, SYMLINK, LINK, CREATE }, like) => ({
        MKNOD: inDirectoryLike(like, MKNOD),
        MKDIR: inDirectoryLike(like, MKDIR),
        SYMLINK: inDirectoryLike(like, SYMLINK),
        LINK: inDirectoryLike(like, LINK),
        CREATE: inDirectoryLike(like, CREATE),
      })),
  },
] as const satisfies readonly PlantedBug[];
