/** The filter is run by a small interpreter of classic BPF, for system calls as servers and their helpers make them. */

import { describe, expect, test } from 'vitest';
import { seccompFilter } from '#relight/transport/interpose/filter.js';
import type { Machine } from '#relight/transport/machine.js';

const x64: Machine = {
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
};
const arm64: Machine = {
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
};

const AT_FDCWD = 0xffffff9cn;
const O_RDWR = 2n;
const O_CREAT = 0o100n;
const O_CLOEXEC = 0o2000000n;

type Answer = 'allow' | 'notify' | `errno ${number}`;

interface Call {
  readonly nr: number;
  readonly args?: readonly bigint[];
  readonly arch?: number;
}

/** struct seccomp_data: nr, arch, instruction pointer, six arguments. */
const dataOf = ({ nr, args = [], arch }: Call, machine: Machine): DataView => {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, nr, true);
  view.setUint32(4, arch ?? machine.auditArch, true);
  args.forEach((value, i) => {
    view.setBigUint64(16 + 8 * i, value, true);
  });
  return view;
};

const answerOf = (value: number): Answer => {
  const action = value & 0xffff0000;
  if (action === 0x7fff0000) return 'allow';
  return action === 0x7fc00000 ? 'notify' : `errno ${value & 0xffff}`;
};

/** The instructions that seccomp programs of ours use (linux/bpf_common.h). */
const run = (program: Uint8Array, data: DataView): number => {
  const code = new DataView(program.buffer, program.byteOffset);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const k = code.getUint32(8 * at + 4, true);
    const jump = (taken: boolean) => code.getUint8(8 * at + (taken ? 2 : 3));
    const step = {
      32: () => {
        accumulator = data.getUint32(k, true);
        return 0;
      },
      84: () => {
        accumulator = (accumulator & k) >>> 0;
        return 0;
      },
      21: () => jump(accumulator === k),
      53: () => jump(accumulator >= k),
    }[code.getUint16(8 * at, true)];
    if (step === undefined) return k;
    at += step();
  }
  throw new Error('the program has no end');
};

const answer = (machine: Machine, call: Call): Answer =>
  answerOf(run(seccompFilter(machine), dataOf(call, machine)));

const open = (machine: Machine, flags: bigint, directory = AT_FDCWD): Call => ({
  nr: machine.openat,
  args: [directory, 0n, flags],
});

describe.for([
  ['x86-64', x64],
  ['arm64', arm64],
] as const)('%s', ([, machine]) => {
  const expectAnswer = (call: Call, expected: Answer) => expect(answer(machine, call)).toBe(expected);

  test('mounting is ours', () => {
    expectAnswer({ nr: machine.mount }, 'notify');
    expectAnswer({ nr: machine.umount2 }, 'notify');
  });

  test('the new way to mount does not exist', () => {
    for (const nr of [429, 430, 432, 433]) expectAnswer({ nr }, 'errno 38');
  });

  test('opens that could be the device are looked at, others cost nothing', () => {
    expectAnswer(open(machine, O_RDWR), 'notify');
    expectAnswer(open(machine, O_RDWR | O_CLOEXEC), 'notify');
    expectAnswer(open(machine, 0n), 'allow');
    expectAnswer(open(machine, O_RDWR | O_CREAT), 'allow');
    expectAnswer(open(machine, O_RDWR, 5n), 'allow');
    expectAnswer({ nr: 437 }, 'notify');
  });

  test('high halves of arguments do not hide a call', () => {
    expectAnswer(open(machine, O_RDWR | (7n << 32n), 0xffffffff_ffffff9cn), 'notify');
  });

  test('a clone of the device has worked, another ioctl is let through', () => {
    expectAnswer({ nr: machine.ioctl, args: [4n, 0x8004e500n] }, 'errno 0');
    expectAnswer({ nr: machine.ioctl, args: [4n, 0x5401n] }, 'allow');
  });

  test('vmsplice fails, so that replies come in one piece', () => {
    expectAnswer({ nr: machine.vmsplice }, 'errno 22');
  });

  test('anything else, and any other architecture, is allowed', () => {
    for (const nr of [0, 1, 3, 60, 231, 435]) {
      if (nr !== machine.open) expectAnswer({ nr }, 'allow');
    }
    expectAnswer({ nr: machine.mount, arch: 0x40000003 }, 'allow');
  });
});

test('x86-64 has a second open, and no second numbering', () => {
  expect(answer(x64, { nr: 2, args: [0n, O_RDWR] })).toBe('notify');
  expect(answer(x64, { nr: 2, args: [0n, 0n] })).toBe('allow');
  expect(answer(x64, { nr: 0x40000000 + 165 })).toBe('errno 38');
});
