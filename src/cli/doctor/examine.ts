/** Looks at everything, in the order of what depends on what. */

import type { Examination } from '../../report/doctor.js';
import { interposingChecks, tryMemfs } from './interposing.js';
import { featureChecks, kernelCheck, offerOfKernel } from './kernel.js';
import { limitChecks } from './limits.js';
import { mountCheck, mountingChecks } from './mounting.js';
import { programChecks } from './programs.js';

/** What this machine and this user can do. Mounts for a moment, and starts a server. */
export const examine = async (): Promise<Examination> => {
  const offer = offerOfKernel();
  const trial = await tryMemfs();
  const refusal = typeof offer === 'string' ? offer : undefined;
  return {
    canRecord: refusal === undefined,
    canReplay: trial.isMounted,
    ...(typeof offer === 'string' ? {} : { minor: offer.minor }),
    features: typeof offer === 'string' ? [] : offer.features,
    checks: [
      kernelCheck(offer),
      ...featureChecks(offer),
      ...mountingChecks(),
      mountCheck(refusal),
      ...interposingChecks(trial),
      ...limitChecks(),
      ...programChecks(),
    ],
  };
};
