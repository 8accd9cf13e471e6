/** Every inode is made bad: the NOTIFY_RESTART proposal (linux-fsdevel, September 2025), and a variant that is silent. */

import type { Scene, Strategy } from './strategy.js';
import { oldNodes } from './strategy.js';

/** Asks nothing. The root cannot go: its nodeid is fixed, and it stays as it is. */
const makeAllBad = (scene: Scene, quietly: boolean): readonly never[] => {
  const { cache } = scene;
  for (const node of oldNodes(cache)) if (node !== cache.root) scene.lost(node);
  for (let node = cache.nodes.top - 1; node >= 0; node--) {
    if (cache.nodes.has(node) && cache.nodes.isBad(node)) cache.letGoOf(node, quietly);
  }
  return [];
};

/**
 * `fuse_make_bad` on every inode but the root. I/O on them gets EIO, but the kernel lets go of bad inodes like of any others:
 * `fuse_evict_inode` sends FORGET with the old nodeid and count, `fuse_file_release` sends RELEASE and RELEASEDIR with the
 * old fh; neither asks `fuse_is_bad`. On files that are still open, locks, POLL, LSEEK for holes, FALLOCATE and
 * COPY_FILE_RANGE do not ask either and go out with old ids (see `kernel-rules.ts`). Inodes that nothing holds are let go of
 * at once, those made last first; open ones when they are closed. In-flight requests are ended, as sending them again would
 * use old ids.
 */
export const markBad: Strategy = {
  name: 'mark-bad',
  inFlight: 'abort',
  letGo: 'sent',
  onUse: 'trust',
  recognisedBy: 'nothing',
  oldFiles: 'kept',
  recover: (scene) => makeAllBad(scene, false),
};

/** As `markBad`, but nothing with an old id is ever sent: no FORGET, no RELEASE, and every call on an old file gets EIO. */
export const markBadQuiet: Strategy = {
  name: 'mark-bad-quiet',
  inFlight: 'abort',
  letGo: 'withheld',
  onUse: 'trust',
  recognisedBy: 'nothing',
  oldFiles: 'refused',
  recover: (scene) => makeAllBad(scene, true),
};
