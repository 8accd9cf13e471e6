/** What becomes of each trapped system call of a server. Runs on the serving thread; the only state is the session's. */

import { statSync } from 'node:fs';
import { Errno } from '../../base/errno.js';
import { close, pidfdGetfd, pidfdOpen } from '../libc.js';
import { type Machine, NEW_CALLS } from '../machine.js';
import { FUSE_DEVICE, type MountRequest, mountFuse, realTarget, unmountFuse } from '../mount.js';
import { childrenOf, descriptorsOf, pathOf, processOf } from '../proc.js';
import { type Listener, readString, type Trap } from './listener.js';
import type { FromServing, MountMode } from './messages.js';
import { putPollFile } from './poll-file.js';

const O_CLOEXEC = 0o2000000;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_MOVE = 8192;
const MS_PROPAGATION = (1 << 17) | (1 << 18) | (1 << 19) | (1 << 20);
const MNT_DETACH = 2;
/** A flag that umount2 must refuse: fusermount asks so whether the kernel knows UMOUNT_NOFOLLOW. */
const UMOUNT_UNUSED = 0x80000000;
const FUSE_DEVICE_NUMBER = (10 << 8) | 229;

/** What the serving thread knows of the server that runs now. */
export interface Session {
  /** The server's end while we hold a copy; `undefined` afterwards, when only the server's processes have it. */
  socket: number | undefined;
  readonly inode: number;
  readonly mode: MountMode;
  /** Where the server's mounts are, as far as it knows: paths as it gave them, and as the kernel shows them. */
  readonly targets: Map<string, string>;
  /** A mount point of ours, made for this server. */
  readonly temporary: string | undefined;
  /** The kernel's mount is gone although the server was not told. */
  gone: boolean;
}

/** How a trapped call ends: as if never trapped, with 0 or -errno, or with a copy of a descriptor of ours. */
type Answer =
  | { readonly kind: 'allow' }
  | { readonly kind: 'result'; readonly result: number }
  | { readonly kind: 'descriptor'; readonly fd: number; readonly flags: number; readonly ours: boolean };

const allow: Answer = { kind: 'allow' };
const result = (value: number): Answer => ({ kind: 'result', result: value });

/** Answers traps of one machine's system calls. */
export class Answers {
  readonly #listener: Listener;
  readonly #machine: Machine;
  readonly #tell: (message: FromServing) => void;

  constructor(listener: Listener, machine: Machine, tell: (message: FromServing) => void) {
    this.#listener = listener;
    this.#machine = machine;
    this.#tell = tell;
  }

  /** Answers one trap; without a session everything is allowed. */
  answer(trap: Trap, session: Session | undefined): void {
    const answer = session === undefined ? allow : this.#decide(trap, session);
    if (answer.kind === 'allow') this.#listener.allow(trap);
    else if (answer.kind === 'result') this.#listener.answer(trap, answer.result);
    else {
      this.#listener.answerWithDescriptor(trap, answer.fd, answer.flags);
      if (!answer.ours) close(answer.fd);
    }
  }

  #decide(trap: Trap, session: Session): Answer {
    if (trap.nr === this.#machine.mount) return this.#mount(trap, session);
    if (trap.nr === this.#machine.umount2) return this.#umount(trap, session);
    return this.#open(trap, session);
  }

  #open(trap: Trap, session: Session): Answer {
    const path = readString(trap.pid, this.#openPath(trap));
    if (path === undefined || !isFuseDevice(path)) return allow;
    const fd = session.socket ?? copyFromHolder(trap.pid, session.inode);
    if (fd === undefined) return result(-Errno.ENODEV);
    this.#tell({ kind: 'opened', pid: trap.pid });
    return {
      kind: 'descriptor',
      fd,
      flags: this.#openFlags(trap) & O_CLOEXEC,
      ours: session.socket !== undefined,
    };
  }

  #openPath(trap: Trap): bigint {
    return (trap.nr === this.#machine.open ? trap.args[0] : trap.args[1]) ?? 0n;
  }

  #openFlags(trap: Trap): number {
    if (trap.nr === NEW_CALLS.openat2) return O_CLOEXEC;
    return Number((trap.nr === this.#machine.open ? trap.args[1] : trap.args[2]) ?? 0n);
  }

  #mount(trap: Trap, session: Session): Answer {
    const request = readMountRequest(trap);
    if (request === undefined) return allow;
    const asked = Number(/(?:^|,)fd=(\d+)/.exec(request.data)?.[1] ?? -1);
    // A server that opened the device before the filter saw it, or by a path of its own, gets its end here.
    if (session.socket !== undefined && asked >= 0 && !descriptorsOf(trap.pid, session.inode).includes(asked))
      this.#listener.replaceDescriptor(trap, session.socket, asked);
    if (!this.#listener.isWaiting(trap)) return allow;
    const asGiven = request.target;
    const real = { ...request, target: realTarget(asGiven) };
    return result(-this.#mountOn(trap, session, { request: real, asGiven }));
  }

  /** Mounts unless it is only pretended; 0 or a positive errno. */
  #mountOn(
    { pid }: Trap,
    session: Session,
    { request, asGiven }: { request: MountRequest; asGiven: string },
  ): number {
    const made = session.mode === 'pretend' ? undefined : mountFuse(request);
    const error = typeof made === 'number' ? -made : 0;
    if (error === 0) session.targets.set(asGiven, request.target).set(request.target, request.target);
    const isTemporary = [asGiven, request.target].some((path) => path === session.temporary);
    if (made === undefined && isTemporary) putPollFile(request.target);
    const device = typeof made === 'object' ? made.device : undefined;
    this.#tell({ kind: 'mounted', pid, request, error, device });
    return error;
  }

  #umount(trap: Trap, session: Session): Answer {
    const flags = Number(BigInt.asUintN(32, trap.args[1] ?? 0n));
    const path = readString(trap.pid, trap.args[0] ?? 0n);
    if (path === '') return result(-Errno.ENOENT);
    if (flags & UMOUNT_UNUSED) return result(-Errno.EINVAL);
    // Never resolved here: looking at the mount would wait for its server, which may be waiting for us.
    const asGiven = path === undefined ? undefined : pathOf(trap.pid, path);
    const target = asGiven === undefined ? undefined : session.targets.get(asGiven);
    if (target === undefined) return allow;
    const pretend = session.mode === 'pretend' || session.gone;
    const error = pretend ? 0 : Math.abs(unmountFuse(target, { lazy: (flags & MNT_DETACH) !== 0 }));
    if (error === 0) forgetTarget(session.targets, target);
    this.#tell({ kind: 'unmounted', pid: trap.pid, target, error });
    return result(-error);
  }
}

const forgetTarget = (targets: Session['targets'], target: string): void => {
  for (const [asGiven, real] of targets) if (real === target) targets.delete(asGiven);
};

const isFuseDevice = (path: string): boolean => {
  if (path === FUSE_DEVICE) return true;
  // Only paths that look like it are examined: a stat on the server's own mount would wait for the server.
  if (!/^\/dev\/.*fuse$/.test(path)) return false;
  try {
    return statSync(path).rdev === FUSE_DEVICE_NUMBER;
  } catch {
    return false;
  }
};

const readMountRequest = (trap: Trap): MountRequest | undefined => {
  const [source = 0n, target = 0n, type = 0n, flags = 0n, data = 0n] = trap.args;
  const typeName = readString(trap.pid, type) ?? '';
  if (!/^fuse(blk)?(\.|$)/.test(typeName)) return undefined;
  const flagBits = Number(BigInt.asUintN(32, flags));
  if (flagBits & (MS_REMOUNT | MS_BIND | MS_MOVE | MS_PROPAGATION)) return undefined;
  const path = readString(trap.pid, target);
  const absolute = path === undefined ? undefined : pathOf(trap.pid, path);
  if (absolute === undefined) return undefined;
  return {
    source: readString(trap.pid, source) ?? '',
    target: absolute,
    type: typeName,
    flags: flagBits,
    data: readString(trap.pid, data) ?? '',
  };
};

/** A copy of the server's end, taken out of the process that asks or a child of it. */
const copyFromHolder = (tid: number, inode: number): number | undefined => {
  const pid = processOf(tid);
  for (const holder of [pid, ...childrenOf(pid)]) {
    const [fd] = descriptorsOf(holder, inode);
    if (fd === undefined) continue;
    const pidfd = pidfdOpen(holder);
    if (pidfd < 0) continue;
    const copy = pidfdGetfd(pidfd, fd);
    close(pidfd);
    if (copy >= 0) return copy;
  }
  return undefined;
};
