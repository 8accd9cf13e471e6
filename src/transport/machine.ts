/** Numbers that differ from one machine architecture to another: system calls and open flags. */

import { RelightError } from '../base/error.js';

/** System call numbers and masks of one architecture (asm/unistd.h, asm/fcntl.h, linux/audit.h). */
export interface Machine {
  readonly auditArch: number;
  /** Set where a second numbering (x32) shares the architecture's number. */
  readonly x32: boolean;
  readonly mount: number;
  readonly umount2: number;
  readonly vmsplice: number;
  readonly ioctl: number;
  readonly openat: number;
  /** Absent where only openat exists. */
  readonly open: number | undefined;
  readonly seccomp: number;
  /** Open flags with the ones that do not matter to us taken out: O_CLOEXEC, O_NONBLOCK, O_NOCTTY, O_LARGEFILE. */
  readonly openMask: number;
}

/** The same on both architectures, being newer than the common numbering. */
export const NEW_CALLS = { openat2: 437, fsopen: 430, fsmount: 432, moveMount: 429, fspick: 433 } as const;

const machines: Readonly<Record<string, Machine>> = {
  x64: {
    auditArch: 0xc000003e,
    x32: true,
    mount: 165,
    umount2: 166,
    vmsplice: 278,
    ioctl: 16,
    openat: 257,
    open: 2,
    seccomp: 317,
    openMask: 0xfff776ff,
  },
  arm64: {
    auditArch: 0xc00000b7,
    x32: false,
    mount: 40,
    umount2: 39,
    vmsplice: 75,
    ioctl: 29,
    openat: 56,
    open: undefined,
    seccomp: 277,
    openMask: 0xfff5f6ff,
  },
};

/** This machine's numbers. Throws `environment` on an architecture without a table. */
export const thisMachine = (): Machine => {
  const machine = machines[process.arch];
  if (machine === undefined)
    throw new RelightError('environment', `interposition knows x64 and arm64; this is ${process.arch}`, {
      remedy: 'use {fd} hand-over, which needs no system call numbers',
    });
  return machine;
};
