/** A changed instance id makes each inode revalidate on its next use: the fuse_instance_id idea (November 2025). */

import type { Strategy } from './strategy.js';

/**
 * The idea has no patch; this is its safest reading. A node of another instance is looked up by its path, from the last
 * directory that is known to be of this instance, before a request names it; an unchanged nodeid, generation and type
 * let it survive, with its lookups counted anew: a FORGET of what the old instance had granted would take counts that the
 * new one granted to others. An inode of the old instance whose nodeid the new one gives to another path is lost. What was
 * never used again is forgotten silently, files of the old instance get EIO and are closed without RELEASE, and in-flight
 * requests end with an error.
 */
export const lazy: Strategy = {
  name: 'lazy',
  inFlight: 'abort',
  letGo: 'withheld',
  onUse: 'revalidate',
  recognisedBy: 'path',
  oldFiles: 'refused',
  recover: () => [],
};
