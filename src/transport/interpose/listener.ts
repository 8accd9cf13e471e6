/** One seccomp user-notification listener: receives trapped system calls and answers them. Decides nothing. */

import { addressOf, ioctl, prctl, readMemory, seccomp } from '../libc.js';
import { thisMachine } from '../machine.js';
import { seccompFilter } from './filter.js';

// linux/seccomp.h
const SET_MODE_FILTER = 1;
const FLAG_NEW_LISTENER = 8;
const FLAG_WAIT_KILLABLE_RECV = 0x20;
const IOCTL_RECV = 0xc0502100;
const IOCTL_SEND = 0xc0182101;
const IOCTL_ID_VALID = 0x40082102;
const IOCTL_ADDFD = 0x40182103;
const IOCTL_SET_FLAGS = 0x40082104;
const USER_NOTIF_FLAG_CONTINUE = 1;
const ADDFD_FLAG_SETFD = 1;
const ADDFD_FLAG_SEND = 2;
const PR_SET_NO_NEW_PRIVS = 38;
const EINVAL = 22;

/**
 * Puts the filter on the calling thread, for good, and returns the listener's descriptor or -errno. Children of the
 * thread inherit the filter; the thread must not serve the listener itself. Without privilege the thread and its
 * children lose the power to gain any (no_new_privs).
 */
export const installFilter = (): number => {
  const machine = thisMachine();
  const filter = seccompFilter(machine);
  const descriptor = new Uint8Array(16);
  const view = new DataView(descriptor.buffer);
  view.setUint16(0, filter.length / 8, true);
  view.setBigUint64(8, BigInt(addressOf(filter)), true);
  if (process.getuid?.() !== 0) prctl(PR_SET_NO_NEW_PRIVS, 1);
  const install = (flags: number): number => seccomp(machine.seccomp, SET_MODE_FILTER, flags, descriptor);
  // Since 5.19 a received call can only be interrupted by a fatal signal; Go's preemption signals need that.
  const fd = install(FLAG_NEW_LISTENER | FLAG_WAIT_KILLABLE_RECV);
  return fd === -EINVAL ? install(FLAG_NEW_LISTENER) : fd;
};

/** A system call that a process is waiting in. */
export interface Trap {
  readonly id: bigint;
  readonly pid: number;
  readonly nr: number;
  readonly args: readonly bigint[];
}

/** Serves a listener's descriptor on a thread that does not carry the filter. */
export class Listener {
  readonly #fd: number;
  readonly #request = new Uint8Array(80);
  readonly #view = new DataView(this.#request.buffer);

  constructor(fd: number) {
    this.#fd = fd;
    // Synchronous wake-up (6.6): the caller runs on this processor as soon as it is answered. Older kernels refuse.
    const flags = new Uint8Array(8);
    flags[0] = 1;
    ioctl(fd, IOCTL_SET_FLAGS, flags);
  }

  /** The next trapped call; `undefined` when the caller died or was interrupted before it could be taken. */
  receive(): Trap | undefined {
    this.#request.fill(0);
    if (ioctl(this.#fd, IOCTL_RECV, this.#request) < 0) return undefined;
    const view = this.#view;
    return {
      id: view.getBigUint64(0, true),
      pid: view.getUint32(8, true),
      nr: view.getInt32(16, true),
      args: [0, 1, 2, 3, 4, 5].map((i) => view.getBigUint64(32 + 8 * i, true)),
    };
  }

  /** Lets the call go on as if it had never been trapped. */
  allow(trap: Trap): void {
    this.#send(trap, 0, USER_NOTIF_FLAG_CONTINUE);
  }

  /** Ends the call with a result of 0 or -errno. */
  answer(trap: Trap, result: number): void {
    this.#send(trap, result, 0);
  }

  /** Ends the call with a copy of one of our descriptors in the caller as its result. False when the caller is gone. */
  answerWithDescriptor(trap: Trap, fd: number, flags: number): boolean {
    return this.#addDescriptor(trap, fd, { flags: ADDFD_FLAG_SEND, target: 0, cloexec: flags }) >= 0;
  }

  /** Puts a copy of one of our descriptors over the caller's descriptor `target`; the call goes on waiting. */
  replaceDescriptor(trap: Trap, fd: number, target: number): boolean {
    return this.#addDescriptor(trap, fd, { flags: ADDFD_FLAG_SETFD, target, cloexec: 0 }) >= 0;
  }

  /** Whether the caller still waits: what was read of its memory before is then truly its. */
  isWaiting(trap: Trap): boolean {
    const id = new Uint8Array(8);
    new DataView(id.buffer).setBigUint64(0, trap.id, true);
    return ioctl(this.#fd, IOCTL_ID_VALID, id) === 0;
  }

  #addDescriptor(trap: Trap, fd: number, to: { flags: number; target: number; cloexec: number }): number {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, trap.id, true);
    view.setUint32(8, to.flags, true);
    view.setUint32(12, fd, true);
    view.setUint32(16, to.target, true);
    view.setUint32(20, to.cloexec, true);
    return ioctl(this.#fd, IOCTL_ADDFD, bytes);
  }

  #send(trap: Trap, result: number, flags: number): void {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, trap.id, true);
    view.setBigInt64(8, BigInt(Math.max(result, 0)), true);
    view.setInt32(16, Math.min(result, 0), true);
    view.setUint32(20, flags, true);
    ioctl(this.#fd, IOCTL_SEND, bytes);
  }
}

/** A C string of another process, at most `limit` bytes; `undefined` for a null pointer or memory that cannot be read. */
export const readString = (pid: number, address: bigint, limit = 4096): string | undefined => {
  if (address === 0n) return undefined;
  const bytes = readMemory(pid, address, limit);
  const end = bytes?.indexOf(0) ?? -1;
  return bytes === undefined || end < 0 ? undefined : Buffer.from(bytes.subarray(0, end)).toString();
};
