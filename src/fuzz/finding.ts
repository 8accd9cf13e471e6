/** An unsafe verdict that was seen again on fresh servers and made small: everything that it takes to see it once more. */

import type { Verdict } from '../oracle/verdict.js';
import type { Plan } from '../plan/plan.js';
import type { Environment } from './environment.js';

/** How often a finding showed when it was run again on fresh servers. */
export interface Reliability {
  /** Runs with the expected verdict. */
  readonly k: number;
  /** Runs in all. */
  readonly n: number;
}

/** How the server is started. */
export interface ServerCommand {
  /** Placeholders not filled. */
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  /** Variables that the finding needs, besides those of whoever runs it. */
  readonly env: Readonly<Record<string, string>>;
}

/** What the finding was made with. */
export interface Versions {
  readonly relight: string;
  /** `uname -r` and `-m`. */
  readonly kernel: string;
  readonly arch: string;
}

/** A finding. One to a signature. */
export interface Finding {
  /** Hash of the signature in hexadecimal, and the file's name. */
  readonly id: string;
  readonly signature: string;
  readonly verdict: Verdict;
  readonly op: string;
  /** `node`, `handle`, `node+handle` or `none`. */
  readonly idKind: string;
  readonly mutator: string;
  readonly relation: string;
  /** No correct kernel sends the wrong request: it takes a faulty or hostile one. */
  readonly isHostile: boolean;
  /** Sentences without a full stop, the request first. */
  readonly evidence: readonly string[];
  /** Steps of incarnation 0 mint the ids, the server is killed, steps of incarnation 1 come next; the last is the fault. */
  readonly plan: Plan;
  readonly environment: Environment;
  readonly command: ServerCommand;
  /** Paths that are put back before each run; their contents are not part of the finding. */
  readonly snapshot: readonly string[];
  readonly seed: number;
  readonly reliability: Reliability;
  readonly versions: Versions;
}
