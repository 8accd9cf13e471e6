/** What a tour is asked to do, and what it came to: plain data. */

import type { Negotiated } from '../../protocol/negotiated.js';
import type { WriterStatus } from '../../trace/writer.js';
import type { MountRequest } from '../../transport/mount.js';
import type { ProcessExit } from '../../transport/subreaper.js';
import type { ErrorCounts, Refused } from './call-source.js';
import type { Cut, TourCounts, TourLimits } from './state.js';
import type { TourTraffic } from './tour-trace.js';

/** Whether a tour changes things, in a directory of its own, and what becomes of that at the end. */
export type Writing = 'none' | 'keep' | 'remove';

/** A tour's orders; what is left out has a default. */
export interface TourOptions {
  /** Path of the trace; an existing file is replaced. */
  readonly trace: string;
  /** The server's command, placeholders not filled. */
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly aslr?: 'on' | 'off';
  readonly seed?: number;
  readonly writing?: Writing;
  /** Those given stand in place of `defaultLimits`. */
  readonly limits?: Partial<TourLimits>;
  /** How long a reply may take before the server counts as hanging; 10 s. */
  readonly replyTimeoutMs?: number;
  /** How long the start may take up to the answer to INIT; 30 s. */
  readonly startTimeoutMs?: number;
  /** Ends the tour early, in order. */
  readonly signal?: AbortSignal;
  /** Told several times a second how far the trace is. */
  readonly onProgress?: (status: WriterStatus) => void;
  /** What the server writes to standard error. */
  readonly onStderr?: (chunk: Uint8Array) => void;
}

/** How a tour ended: all was seen that the limits allow, its user ended it, or the server did by dying or falling silent. */
export type TourEnding = 'done' | 'interrupted' | 'died' | 'hang';

/** What became of the changes. */
export type Written =
  | { readonly kind: 'none' }
  /** The server lets nothing be made. */
  | { readonly kind: 'refused'; readonly errno: number }
  /** `directory` is its path. */
  | { readonly kind: 'kept'; readonly directory: string }
  /** The errno of what could not be removed, 0 when all was. */
  | { readonly kind: 'removed'; readonly directory: string; readonly errno: number };

/** A tour's result. */
export interface TourResult {
  readonly ending: TourEnding;
  readonly seed: number;
  readonly negotiated: Negotiated;
  /** What the server asked mount(2) for; `undefined` for one that was handed its channel. */
  readonly mount: MountRequest | undefined;
  readonly counts: TourCounts;
  /** Limits that cut something off. */
  readonly cut: readonly Cut[];
  /** Nodes that the kernel knows at the end: each is an id that a restart makes stale. */
  readonly nodes: number;
  /** Files and directories that are open at the end. */
  readonly held: { readonly files: number; readonly directories: number };
  readonly written: Written;
  readonly errors: ErrorCounts;
  /** Replies that the real kernel would not take. */
  readonly refused: readonly Refused[];
  /** The operation without an answer when the server died or fell silent. */
  readonly underWay: string | undefined;
  /** How the server ended; after a tour that is done or interrupted, by our SIGTERM. */
  readonly exit: ProcessExit | undefined;
  /** Its last lines of standard error. */
  readonly stderr: readonly string[];
  readonly traffic: TourTraffic;
  readonly status: WriterStatus;
  /** From the first to the last request, milliseconds. */
  readonly elapsedMs: number;
}
