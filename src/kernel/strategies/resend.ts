/** Requests that the old server had read are sent again: FUSE_NOTIFY_RESEND. */

import type { Strategy } from './strategy.js';

/**
 * As `trust`, and in-flight requests go out once more with bit 63 in their unique and their old ids, in the order of the
 * kernel's hash buckets. FORGETs that had been read are lost, INTERRUPTs are sent again after their request
 * (`fuse_chan_resend`).
 */
export const resend: Strategy = {
  name: 'resend',
  inFlight: 'resend',
  letGo: 'sent',
  onUse: 'trust',
  recognisedBy: 'nothing',
  oldFiles: 'kept',
  recover: () => [],
};
