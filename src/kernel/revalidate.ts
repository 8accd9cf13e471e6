/** Whether the answer to a LOOKUP still means the node that a dentry leads to (`fuse_dentry_revalidate`). */

import type { Cache } from './cache.js';
import { entryIsInvalid, entryKey, isNoNode } from './entry.js';
import type { Answer } from './in-flight.js';

const ENTRY_AT = 16;

/**
 * `same`: nodeid, generation and type are unchanged. `other`: another node is there now. `gone`: an error or no node.
 * Counts as the kernel does: another nodeid is forgotten at once, the same one has a lookup more even when it is stale.
 */
export const revalidate = (cache: Cache, node: number, answer: Answer): 'same' | 'other' | 'gone' => {
  if (answer.errno !== 0) return 'gone';
  const key = entryKey(answer.reply, ENTRY_AT);
  if (isNoNode(key)) return 'gone';
  if (key.low !== cache.nodes.lowOf(node) || key.high !== cache.nodes.highOf(node)) {
    cache.forgets.push(key.low, key.high, 1);
    return 'other';
  }
  cache.nodes.addLookups(node);
  cache.nodes.addExtra(node);
  return entryIsInvalid(answer.reply, ENTRY_AT) || cache.nodes.isStale(node, key) ? 'other' : 'same';
};
