/** What the threads of an interposer tell each other. Descriptors travel as plain numbers: all threads share one table. */

import type { MountRequest } from '../mount.js';

/** How the mount(2) of a server is answered: by success alone, or by doing it. */
export type MountMode = 'pretend' | 'real';

/** A server that is about to start. */
export interface SessionFacts {
  readonly socket: number;
  /** Of the socket. */
  readonly inode: number;
  readonly mode: MountMode;
  /** The mount point that was made for it. */
  readonly temporary: string | undefined;
}

/** To the thread that answers traps. */
export type ToServing =
  /** A server is about to start: what its opens of the device get. */
  | ({ readonly kind: 'session' } & SessionFacts)
  /** The server has its end for good: our copy must go, or its death would never show as end of file. */
  | { readonly kind: 'handedOver' }
  /** Our mount is gone (unmounted from outside): a later umount2 by the server has nothing to do. */
  | { readonly kind: 'mountGone' }
  | { readonly kind: 'stop' };

/** From the thread that answers traps. */
export type FromServing =
  | { readonly kind: 'opened'; readonly pid: number }
  /** `error` is 0 or a positive errno; `device` is set in mode `real` when the mount was made. */
  | {
      readonly kind: 'mounted';
      readonly pid: number;
      readonly request: MountRequest;
      readonly error: number;
      readonly device: number | undefined;
    }
  | { readonly kind: 'unmounted'; readonly pid: number; readonly target: string; readonly error: number };

/** What a thread that starts servers carries for them. */
export interface SpawningSetup {
  /** Whether it carries the filter. */
  readonly intercepts: boolean;
  /** Paths that servers may change, everything else being read-only to them; `undefined` for no confinement. */
  readonly writable: readonly string[] | undefined;
}

/** To the thread that starts servers. */
export type ToSpawning =
  | { readonly kind: 'spawn'; readonly command: SpawnCommand }
  | { readonly kind: 'stop' };

/** What is started, and how. */
export interface SpawnCommand {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  /** `off` lays the address space out the same way at each start. */
  readonly aslr: 'on' | 'off';
  /** Processors that the server may run on; `undefined` for all. */
  readonly cpus: readonly number[] | undefined;
  readonly stdin: 'inherit' | 'ignore';
  readonly stdout: 'inherit' | 'stderr' | 'ignore';
  /** A process group of its own, so that the terminal's Ctrl-C does not reach it. */
  readonly detached: boolean;
  /** Inherited as descriptor 3. */
  readonly handOver: number | undefined;
}

/** From the thread that starts servers. */
export type FromSpawning =
  /** Comes first. `listener` is -errno when there can be no filter, `confinement` the errno when there can be none. */
  | { readonly kind: 'ready'; readonly listener: number | undefined; readonly confinement: number }
  | { readonly kind: 'spawned'; readonly pid: number }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'stderr'; readonly chunk: Uint8Array }
  | {
      readonly kind: 'exited';
      readonly pid: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
    };
