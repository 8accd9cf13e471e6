/** What the virtual kernel offers in INIT so that a replayed session settles as the recorded one did. */

import { defaultOffer, type InitOffer } from '../kernel/negotiation.js';
import type { Plan } from '../plan/plan.js';
import { decodeRequest } from '../protocol/decode.js';
import { initFlags, newestNegotiated } from '../protocol/negotiated.js';

/** The recorded offer; that of a new kernel when the trace has no INIT. */
export const offerOf = (plan: Pick<Plan, 'init'>): InitOffer => {
  const usual = defaultOffer();
  const init = plan.init === undefined ? undefined : decodeRequest(plan.init, newestNegotiated);
  if (init?.kind !== 'request' || init.name !== 'INIT') return usual;
  const { minor = usual.minor, maxReadahead = usual.maxReadahead } = init.fields;
  return { ...usual, minor, maxReadahead, flags: initFlags(init.fields) };
};
