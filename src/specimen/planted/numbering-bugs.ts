/** Bugs in how nodes and handles are numbered: a number of one incarnation means something to another. */

import type { PlantedBug } from './planted-bug.js';

/** Nodes and handles by policies that real servers have. */
export const numberingBugs = [
  {
    name: 'node-pointer',
    summary: 'nodeids are addresses, dereferenced without a check',
    fix: 'nodeids are random and looked up in a table',
    mechanism: 'pointer id',
    verdicts: ['crash', 'wrong-object', 'leak', 'poison'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { ids: 'address' }),
  },
  {
    name: 'handle-pointer',
    summary: 'file handles are addresses, dereferenced without a check',
    fix: 'file handles are random and looked up in a table',
    mechanism: 'pointer id',
    verdicts: ['crash', 'wrong-object', 'leak', 'poison'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { handles: 'address', check: 'none' }),
  },
  {
    name: 'node-counter-restart',
    summary: 'nodeids count up from 2 in every incarnation',
    fix: 'nodeids are random',
    mechanism: 'counter restart',
    verdicts: ['wrong-object', 'poison'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { ids: 'counter' }),
  },
  {
    name: 'node-index-recycled',
    summary: 'nodeids are indexes into a table, and a forgotten one is given to the next node',
    fix: 'nodeids are random',
    mechanism: 'recycled number',
    verdicts: ['wrong-object', 'poison'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { ids: 'index' }),
  },
  {
    name: 'inode-recycled',
    summary:
      'nodeids are inode numbers, and that of a removed file is given to the next file with the same generation',
    fix: 'nodeids are random',
    mechanism: 'generation ignored',
    verdicts: ['wrong-object', 'poison'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { ids: 'inode' }),
  },
  {
    name: 'handle-fd-recycled',
    summary:
      'file handles are the lowest free numbers, as descriptors are, and the nodeid beside them is not compared',
    fix: 'file handles are random and must be of the node',
    mechanism: 'recycled number',
    verdicts: ['wrong-object', 'poison'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { handles: 'fd', check: 'known' }),
  },
  {
    name: 'node-unknown-abort',
    summary: 'ends itself when a nodeid is not in its table',
    fix: 'answers ESTALE',
    mechanism: 'assertion',
    verdicts: ['abort'],
    ops: [],
    policy: (fixed) => (fixed ? {} : { unknown: 'abort' }),
  },
] as const satisfies readonly PlantedBug[];
