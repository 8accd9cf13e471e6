/** Every cached inode is asked for its attributes: the NOTIFY_RESTARTED proposal (linux-fsdevel, July 2025). */

import type { Strategy } from './strategy.js';
import { oldNodes } from './strategy.js';

/**
 * GETATTR with the old nodeid of every inode; an error, impossible attributes or another type (`fuse_do_getattr`) make it
 * bad. Then in-flight requests are sent again, bad node or not. Lookup counts stay what they were, so that a later FORGET
 * gives back more than the new server granted.
 */
export const revalidateGetattr: Strategy = {
  name: 'revalidate-getattr',
  inFlight: 'resend',
  letGo: 'sent',
  onUse: 'trust',
  recognisedBy: 'nodeid',
  oldFiles: 'kept',
  *recover(scene) {
    for (const node of oldNodes(scene.cache)) {
      yield scene.getattr(node, ({ errno, reply }) => {
        if (errno === 0) scene.survived(node, reply);
        else scene.lost(node);
      });
    }
  },
};
