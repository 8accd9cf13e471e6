/** What a recording is asked to do, and what its trace says of it before anything happened. */

import { readFileSync } from 'node:fs';
import { endianness, machine, release } from 'node:os';
import { nowNs } from '../base/clock.js';
import type { PayloadMode, TraceContext } from '../trace/context.js';
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
  readonly serverOutput: 'inherit' | 'ignore';
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

/** Variables that change what servers do; no other value of the environment gets into a trace. */
const telling = [
  'PATH',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'TZ',
  'GODEBUG',
  'GOMAXPROCS',
  'GOTRACEBACK',
  'MALLOC_ARENA_MAX',
  'MALLOC_PERTURB_',
  'MALLOC_CHECK_',
  'GLIBC_TUNABLES',
  'ASAN_OPTIONS',
  'UBSAN_OPTIONS',
  'RUST_BACKTRACE',
  'RUST_LOG',
  'FUSERMOUNT_PATH',
];

const relightVersion = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
};

/** Bytes of a memory page; every machine that relight knows uses pages of 4 KiB for FUSE's counts of pages. */
const PAGE_SIZE = 4096;

/** What a trace says first: about this machine, this user's surroundings and what was asked. */
export const traceContext = (options: RecordOptions, argv: readonly string[]): TraceContext => ({
  relightVersion: relightVersion(),
  startTimeNs: nowNs(),
  kernelRelease: release(),
  arch: machine(),
  pageSize: PAGE_SIZE,
  byteOrder: endianness() === 'LE' ? 'little' : 'big',
  argv,
  cwd: process.cwd(),
  environment: telling.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [{ name, value }];
  }),
  payload: options.payload,
  filter: options.filter,
  redacted: false,
});
