/** What each thread of a recording may keep before it collects garbage. */

import type { ResourceLimits } from 'node:worker_threads';

/** Room for short-lived objects, a few hundred bytes a frame. Node lets it grow to 48 MiB a thread. */
export const THREAD_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 4 };
