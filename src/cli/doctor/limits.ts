/** Limits of this machine and this user that make messages smaller or runs shorter. */

import { readFileSync } from 'node:fs';
import type { Check } from '../../report/doctor.js';
import { bytesText } from '../../report/units.js';
import { largestMessage } from '../../transport/probe.js';

const text = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** A kernel's largest request of 1 MiB, with its headers. */
const FULL_MESSAGE = (1 << 20) + (68 << 10);

const bufferCheck = (): Check => {
  const name = 'socket buffers';
  const largest = largestMessage();
  const found = `messages up to ${bytesText(largest)} (net.core.wmem_max ${text('/proc/sys/net/core/wmem_max') ?? 'unknown'})`;
  if (largest >= FULL_MESSAGE) return { name, state: 'ok', found };
  return {
    name,
    state: 'limited',
    found,
    costs: 'reads and writes are cut into smaller ones than without relight',
    mend: 'as root: sysctl -w net.core.wmem_max=8388608 net.core.rmem_max=8388608, or run as root',
  };
};

const PAGE = 4096;

const pagesCheck = (): Check[] => {
  const pages = text('/proc/sys/fs/fuse/max_pages_limit');
  if (pages === undefined) return [];
  return [
    {
      name: 'max_pages_limit',
      state: 'ok',
      found: `${pages}: requests up to ${bytesText(Number(pages) * PAGE)}`,
    },
  ];
};

/** Soft limit of a resource of this process; `undefined` for none. */
const limitOf = (resource: string): number | undefined => {
  const line = (text('/proc/self/limits') ?? '').split('\n').find((one) => one.startsWith(resource));
  const [soft] = line?.slice(resource.length).trim().split(/\s+/) ?? [];
  return soft === undefined || soft === 'unlimited' ? undefined : Number(soft);
};

/** Node reserves this much of its address space for each of its heaps. */
const ADDRESS_SPACE = 2 ** 34;
const DESCRIPTORS = 256;

const addressSpaceCheck = (): Check => {
  const name = 'address space';
  const limit = limitOf('Max address space');
  if (limit === undefined) return { name, state: 'ok', found: 'unlimited' };
  const found = `limited to ${bytesText(limit)}`;
  if (limit >= ADDRESS_SPACE) return { name, state: 'ok', found };
  return {
    name,
    state: 'limited',
    found,
    costs: 'threads may fail to start, and servers with sanitizers do',
    mend: 'ulimit -v unlimited',
  };
};

const descriptorCheck = (): Check => {
  const name = 'open files';
  const limit = limitOf('Max open files');
  const found = limit === undefined ? 'unlimited' : `up to ${limit}`;
  if (limit === undefined || limit >= DESCRIPTORS) return { name, state: 'ok', found };
  return {
    name,
    state: 'limited',
    found,
    costs: 'servers with many open files fail',
    mend: 'ulimit -n 4096',
  };
};

/** The rows about limits. */
export const limitChecks = (): Check[] => [
  bufferCheck(),
  ...pagesCheck(),
  addressSpaceCheck(),
  descriptorCheck(),
];
