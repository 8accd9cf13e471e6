/** What happened to a server, as a trace says it: a mount that was asked for, a process that ended. */

import { constants } from 'node:os';
import { nowNs } from '../base/clock.js';
import type { EndFacts, MountFacts } from './context.js';

/** A mount(2) of a server. */
interface AskedMount {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string;
}

/** How a process ended; both absent when nobody could tell. */
interface Ended {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A mount as of now. The descriptor among its options is left out: it means something only in the server. */
export const mountFacts = ({ target, type, source, flags, data }: AskedMount): MountFacts => ({
  timeNs: nowNs(),
  point: target,
  fstype: type,
  source,
  flags: BigInt(flags),
  options: data.replace(/(^|,)fd=\d+/, '').replace(/^,/, ''),
});

/** The end of an incarnation as of now, with its last lines of standard error, oldest first. */
export const endFacts = (incarnation: number, exit: Ended, stderr: readonly string[]): EndFacts => ({
  incarnation,
  timeNs: nowNs(),
  stderr,
  ...(exit.code === undefined ? {} : { exitCode: exit.code }),
  ...(exit.signal === undefined ? {} : { signal: constants.signals[exit.signal] }),
});
