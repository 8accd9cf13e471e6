/** What a trace says first: about this machine, this user's surroundings and what was asked. */

import { readFileSync } from 'node:fs';
import { endianness, machine, release } from 'node:os';
import { nowNs } from '../base/clock.js';
import type { TraceContext } from './context.js';

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

const versionOf = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
};

/** Version of this relight, such as `0.1.0`. */
export const relightVersion = versionOf();

/** Bytes of a memory page; every machine that relight knows uses pages of 4 KiB for FUSE's counts of pages. */
const PAGE_SIZE = 4096;

/** The context of a trace that begins now; the caller says what is run and what is kept of it. */
export const traceContext = (asked: Pick<TraceContext, 'argv' | 'payload' | 'filter'>): TraceContext => ({
  relightVersion,
  startTimeNs: nowNs(),
  kernelRelease: release(),
  arch: machine(),
  pageSize: PAGE_SIZE,
  byteOrder: endianness() === 'LE' ? 'little' : 'big',
  ...asked,
  cwd: process.cwd(),
  environment: telling.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [{ name, value }];
  }),
  redacted: false,
});
