/** Dentries are looked up anew on their next use: FUSE_NOTIFY_INC_EPOCH. */

import type { Strategy } from './strategy.js';

/**
 * The connection's epoch is counted up, so that `fuse_dentry_revalidate` finds every dentry too old: it is dropped, which
 * evicts an inode that nothing else holds with a FORGET of its old nodeid, those below a directory too, and then looked up
 * anew. Open files keep inode and fh and go on being used; in-flight requests are left alone.
 */
export const incEpoch: Strategy = {
  name: 'inc-epoch',
  inFlight: 'hang',
  letGo: 'sent',
  onUse: 'epoch',
  recognisedBy: 'path',
  oldFiles: 'kept',
  recover: ({ cache }) => {
    cache.epoch++;
    return [];
  },
};
