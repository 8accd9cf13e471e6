/** Every cached path is looked up from the root down: the NOTIFY_RESEND_INODES idea (linux-fsdevel, July 2025). */

import { DIRECTORY_TYPE } from '../cache.js';
import { revalidate } from '../revalidate.js';
import type { Ask, Scene, Strategy } from './strategy.js';
import { oldNodes } from './strategy.js';

/** Names of one directory, each asked for; what answers well and is a directory is walked in turn. */
function* askNames(scene: Scene, directory: number, ready: number[]): Generator<Ask, void> {
  const { dentries, nodes } = scene.cache;
  let dentry = dentries.firstChildOf(directory);
  while (dentry !== undefined) {
    const node = dentries.nodeOf(dentry);
    const next = dentries.nextSiblingOf(dentry);
    if (node !== undefined) {
      yield scene.lookup(directory, dentry, (answer) => {
        if (revalidate(scene.cache, node, answer) !== 'same') return;
        scene.survived(node, answer.reply);
        if (nodes.typeOf(node) === DIRECTORY_TYPE) ready.push(node);
      });
    }
    dentry = next;
  }
}

/**
 * LOOKUP of every name whose directory survived; a changed nodeid, generation or type, or an error, makes the node bad
 * unless another of its names still leads to it. Nodes without a name and those below a lost directory cannot be reached and
 * are lost unasked. The server counts one lookup for each answer, the kernel keeps its old count as well. Then in-flight
 * requests are sent again.
 */
export const revalidateLookup: Strategy = {
  name: 'revalidate-lookup',
  inFlight: 'resend',
  letGo: 'sent',
  onUse: 'trust',
  recognisedBy: 'path',
  oldFiles: 'kept',
  *recover(scene) {
    const ready = [scene.cache.root];
    while (ready.length > 0 || scene.outstanding() > 0) {
      const directory = ready.pop();
      if (directory === undefined) yield undefined;
      else yield* askNames(scene, directory, ready);
    }
    for (const node of oldNodes(scene.cache)) {
      if (node !== scene.cache.root && scene.cache.nodes.fateOf(node) !== 'survived') scene.lost(node);
    }
  },
};
