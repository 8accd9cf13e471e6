/** Old ids go on being used: what a naive hand-over of the device does. */

import type { Strategy } from './strategy.js';

/**
 * Nothing is sent. FORGETs and RELEASEs go out as if there had been no restart, locks are believed to be held, requests that
 * the old server had read wait for ever (they are in the processing table of a device that stays open, and nobody aborts).
 */
export const trust: Strategy = {
  name: 'trust',
  inFlight: 'hang',
  letGo: 'sent',
  onUse: 'trust',
  recognisedBy: 'nothing',
  oldFiles: 'kept',
  recover: () => [],
};
