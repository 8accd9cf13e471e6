/** What /proc tells of processes: children, open sockets, memory maps. Everything may be gone while it is read: then it is absent. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const list = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const text = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const link = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

/** Pids of a process's children, of all its threads. */
export const childrenOf = (pid: number): number[] =>
  list(`/proc/${pid}/task`).flatMap((tid) =>
    text(`/proc/${pid}/task/${tid}/children`).split(' ').filter(Boolean).map(Number),
  );

/** A process and all below it, the process first; empty when it is gone. */
export const treeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(treeOf)];

/** The process that a thread belongs to. */
export const processOf = (tid: number): number =>
  Number(/^Tgid:\s*(\d+)/m.exec(text(`/proc/${tid}/status`))?.[1] ?? tid);

/** Whether a process still runs: a zombie does not. */
export const isRunning = (pid: number): boolean => {
  const stat = text(`/proc/${pid}/stat`);
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
};

/** A process's descriptors of a socket, by the socket's inode number. */
export const descriptorsOf = (pid: number, socketInode: number): number[] =>
  list(`/proc/${pid}/fd`)
    .filter((fd) => link(`/proc/${pid}/fd/${fd}`) === `socket:[${socketInode}]`)
    .map(Number);

/** Where a path that a process gave to a system call leads, from our root; `undefined` when its directory cannot be told. */
export const pathOf = (pid: number, path: string): string | undefined => {
  const descriptor = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)?.[1];
  if (descriptor !== undefined) return link(`/proc/${pid}/fd/${descriptor}`);
  const root = link(`/proc/${pid}/root`) ?? '/';
  const inRoot = (absolute: string): string => (root === '/' ? absolute : `/proc/${pid}/root${absolute}`);
  if (path.startsWith('/')) return inRoot(path);
  const cwd = link(`/proc/${pid}/cwd`);
  if (cwd === undefined) return undefined;
  return path === '.' ? cwd : `${cwd === '/' ? '' : cwd}/${path.replace(/^(\.\/)+/, '')}`;
};

/** One line of a process's memory map. */
export interface Mapping {
  readonly start: bigint;
  /** First address past it. */
  readonly end: bigint;
  /** As in /proc/PID/maps: `rw-p`. */
  readonly permissions: string;
  /** Bytes into the mapped file. */
  readonly offset: bigint;
  /** File, or a name in brackets such as `[heap]`; empty for anonymous memory. */
  readonly path: string;
}

/** A process's memory map; empty when it is gone or may not be read. */
export const mapsOf = (pid: number): Mapping[] =>
  text(`/proc/${pid}/maps`)
    .split('\n')
    .flatMap((line) => {
      const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+\s*(.*)$/.exec(line);
      if (match === null) return [];
      const [, start = '0', end = '0', permissions = '', offset = '0', path = ''] = match;
      return [
        {
          start: BigInt(`0x${start}`),
          end: BigInt(`0x${end}`),
          permissions,
          offset: BigInt(`0x${offset}`),
          path,
        },
      ];
    });

/** What a process holds: bytes of memory that are its own and in core, and open descriptors; 0 when it is gone. */
export const holdingsOf = (pid: number): { readonly memory: number; readonly descriptors: number } => ({
  memory: Number(/^RssAnon:\s*(\d+) kB/m.exec(text(`/proc/${pid}/status`))?.[1] ?? 0) * 1024,
  descriptors: list(`/proc/${pid}/fd`).length,
});
