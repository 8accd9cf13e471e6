/** What a recording is asked to do, and who hears of it. */

import type { PayloadMode } from '../trace/context.js';
import type { WriterStatus } from '../trace/writer.js';

/** A recording's orders. */
export interface RecordOptions {
  /** Path of the trace; an existing file is replaced. */
  readonly trace: string;
  /** The server's command, placeholders not filled. */
  readonly command: readonly string[];
  readonly aslr: 'on' | 'off';
  /** `together`: relay and server on one processor, which makes small requests several times faster; `free`: anywhere. */
  readonly affinity: 'together' | 'free';
  /** Command line for the shell, run once the mount is ready with RELIGHT_MOUNT set; the session ends with it. */
  readonly workload: string | undefined;
  /** Where the workload's standard output goes. */
  readonly workloadOutput: 'inherit' | 'stderr';
  readonly payload: PayloadMode;
  /** Filter as typed; empty for everything. */
  readonly filter: string;
  readonly rotateBytes: number | undefined;
  readonly codec: 'brotli' | 'deflate' | 'none';
  /** Drop frames from the trace rather than make the mount wait for the disk. */
  readonly drop: boolean;
  /** How long the server may take to mount and to answer INIT. */
  readonly mountTimeoutMs: number;
  /** Where to mount when the server is handed an open channel; a temporary directory when absent. */
  readonly mountAt: string | undefined;
  /** Whether the server may talk on our standard output. */
  readonly serverOutput: 'inherit' | 'stderr';
}

/** Who hears of a recording while it goes on. */
export interface RecordEvents {
  readonly onMounted?: (point: string) => void;
  readonly onProgress?: (status: WriterStatus) => void;
  /** The trace cannot be written any longer; the mount goes on. */
  readonly onTraceFailed?: (why: string) => void;
  /** What the server writes to standard error. */
  readonly onStderr?: (chunk: Uint8Array) => void;
}
