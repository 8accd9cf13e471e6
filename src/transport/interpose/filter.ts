/** The seccomp program that a server inherits: which of its system calls relight answers. Knows nothing of threads. */

import { type Machine, NEW_CALLS } from '../machine.js';

const RET_ALLOW = 0x7fff0000;
const RET_NOTIFY = 0x7fc00000;
const RET_ERRNO = 0x00050000;

const ENOSYS = 38;
const EINVAL = 22;
const O_RDWR = 2;
const AT_FDCWD = 0xffffff9c;
/** FUSE_DEV_IOC_CLONE (linux/fuse.h): every open gets the same socket, so a clone has nothing left to do. */
const DEV_IOC_CLONE = 0x8004e500;

// Offsets in struct seccomp_data (linux/seccomp.h); arguments are 64-bit, little-endian, and their low halves are enough.
const NR = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;

type Test = { readonly load: number; readonly mask?: number; readonly equals: number };
type Rule = { readonly tests: readonly Test[]; readonly answer: number };

const call = (nr: number, answer: number, ...tests: readonly Test[]): Rule => ({
  tests: [{ load: NR, equals: nr }, ...tests],
  answer,
});

const rules = (machine: Machine): readonly Rule[] => {
  const readWrite = (index: number): Test => ({
    load: argument(index),
    mask: machine.openMask,
    equals: O_RDWR,
  });
  return [
    call(machine.mount, RET_NOTIFY),
    call(machine.umount2, RET_NOTIFY),
    // Without the new mount API, libraries fall back to mount(2), whose arguments can be read in one go.
    ...[NEW_CALLS.fsopen, NEW_CALLS.fsmount, NEW_CALLS.moveMount, NEW_CALLS.fspick].map((nr) =>
      call(nr, RET_ERRNO | ENOSYS),
    ),
    // Without vmsplice libfuse writes a reply in one piece; splice itself it could not do without.
    call(machine.vmsplice, RET_ERRNO | EINVAL),
    // Its flags lie in memory, out of a filter's sight.
    call(NEW_CALLS.openat2, RET_NOTIFY),
    call(machine.ioctl, RET_ERRNO, { load: argument(1), equals: DEV_IOC_CLONE }),
    // Servers open the device read-write and with no flag that the mask keeps: other opens stay free of cost.
    call(machine.openat, RET_NOTIFY, { load: argument(0), equals: AT_FDCWD }, readWrite(2)),
    ...(machine.open === undefined ? [] : [call(machine.open, RET_NOTIFY, readWrite(1))]),
  ];
};

// BPF (linux/bpf_common.h): load word, and, jump if equal / greater or equal, return.
const LD = 0x20;
const AND = 0x54;
const JEQ = 0x15;
const JGE = 0x35;
const RET = 0x06;
type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];

/** Tests in a row; the first that fails skips the rest of the rule. */
const compile = ({ tests, answer }: Rule): Instruction[] => {
  const out: Instruction[] = [[RET, 0, 0, answer]];
  for (const test of tests.toReversed()) {
    out.unshift([JEQ, 0, out.length, test.equals]);
    if (test.mask !== undefined) out.unshift([AND, 0, 0, test.mask]);
    out.unshift([LD, 0, 0, test.load]);
  }
  return out;
};

const program = (machine: Machine): Instruction[] => [
  [LD, 0, 0, ARCH],
  [JEQ, 1, 0, machine.auditArch],
  [RET, 0, 0, RET_ALLOW],
  ...(machine.x32
    ? ([
        [LD, 0, 0, NR],
        [JGE, 0, 1, 0x40000000],
        [RET, 0, 0, RET_ERRNO | ENOSYS],
      ] as const)
    : []),
  ...rules(machine).flatMap(compile),
  [RET, 0, 0, RET_ALLOW],
];

/** The filter as an array of struct sock_filter, 8 bytes an instruction. */
export const seccompFilter = (machine: Machine): Uint8Array => {
  const instructions = program(machine);
  const bytes = new Uint8Array(8 * instructions.length);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, jumpTrue, jumpFalse, k], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, jumpTrue);
    view.setUint8(8 * i + 3, jumpFalse);
    view.setUint32(8 * i + 4, k >>> 0, true);
  });
  return bytes;
};
