/** The verbs of the command line: one line each. A verb's file is loaded when it is called, so that each starts fast. */

import type { Verb } from './verb.js';

/** A verb that was not loaded yet. */
export interface VerbEntry {
  /** A few words; `undefined` keeps it out of the list in `relight --help`. */
  readonly summary: string | undefined;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

const entry = (summary: string | undefined, load: VerbEntry['load']): VerbEntry => ({ summary, load });

/** All verbs in the order of the help. */
export const verbs: Readonly<Record<string, VerbEntry>> = {
  record: entry('run a server behind the proxy and record its traffic', () => import('./verbs/record.js')),
  tour: entry('walk and read a file system without a mount, and record it', () => import('./verbs/tour.js')),
  show: entry('print the frames of a trace', () => import('./verbs/show.js')),
  stats: entry(
    'latencies by operation, and what kind of numbers the ids are',
    () => import('./verbs/stats.js'),
  ),
  repair: entry('mend a trace whose recorder was killed', () => import('./verbs/repair.js')),
  redact: entry('copy a trace without names and contents', () => import('./verbs/redact.js')),
  export: entry('write a trace as json or pcapng', () => import('./verbs/export.js')),
  doctor: entry(
    'what this machine can do, and how to mend what is missing',
    () => import('./verbs/doctor.js'),
  ),
  replay: entry(
    'replay a trace, restart the server, judge every stale id',
    () => import('./verbs/replay.js'),
  ),
  fuzz: entry(
    'send a restarted server what it must not trust, keep what breaks it',
    () => import('./verbs/fuzz.js'),
  ),
  audit: entry('grade a server by what its old ids lead to', () => import('./verbs/audit.js')),
  repro: entry('run a finding again on fresh servers', () => import('./verbs/repro.js')),
  minimise: entry('make a finding smaller', () => import('./verbs/minimise.js')),
  specimen: entry('run one of our own servers', () => import('./verbs/specimen.js')),
  demo: entry(undefined, () => import('./verbs/demo.js')),
};
