/** A replay's orders. */

import type { Strategy } from '../kernel/strategies/strategy.js';
import type { Sandbox } from '../transport/sandbox.js';
import type { Relookup } from './inspector.js';
import type { PaceRate } from './pace.js';
import type { Restart } from './restart-point.js';
import type { WhileDownChange } from './while-down.js';

/** What to replay on, how, and what to do at each restart. */
export interface ReplayOptions {
  /** The server's command, placeholders not filled. */
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** What the server may change; without it, whatever its user may. */
  readonly sandbox?: Sandbox | undefined;
  readonly aslr: 'on' | 'off';
  /** gdb watches the server, so that crashes tell where they came; each start takes some tenths of a second longer. */
  readonly backTrace?: boolean;
  readonly depth: number;
  readonly pace: PaceRate;
  readonly strict: boolean;
  readonly strategy: Strategy;
  readonly restarts: readonly Restart[];
  readonly signal: NodeJS.Signals;
  /** Paths that are put back before the first start, and after probes that changed something. */
  readonly snapshot: readonly string[];
  /** Command lines for the shell: before the first start, and between death and restart. */
  readonly setup: string | undefined;
  readonly between: string | undefined;
  readonly whileDown: WhileDownChange | undefined;
  readonly relookup: Relookup;
  /** Stale ids are used on purpose after the last step: not at all, to read and release, or to change things as well. */
  readonly probes: 'none' | 'read' | 'write';
  /** Nodes and handles that are probed at most, each. */
  readonly probeLimit: number;
  readonly replyTimeoutMs: number;
  readonly startTimeoutMs: number;
  /** Unasked deaths after which the replay is given up. */
  readonly maxDeaths: number;
  readonly seed: number;
}
