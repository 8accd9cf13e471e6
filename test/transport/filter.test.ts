import { describe, expect, test } from 'vitest';
import { seccompFilter } from '#relight/transport/interpose/filter.js';
import { thisMachine } from '#relight/transport/machine.js';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const ERRNO = 0x00050000;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;

interface Call {
  readonly nr: number;
  readonly args?: readonly number[];
  readonly arch?: number;
}

/** Runs a classic BPF program over struct seccomp_data as the kernel does. */
const run = (program: Uint8Array, { nr, args = [], arch = thisMachine().auditArch }: Call): number => {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  args.forEach((value, i) => {
    data.setBigInt64(16 + 8 * i, BigInt(value), true);
  });
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [op, k] = [code.getUint16(8 * at, true), code.getUint32(8 * at + 4, true)];
    if (op === 0x06) return k;
    if (op === 0x20) accumulator = data.getUint32(k, true);
    else if (op === 0x54) accumulator = (accumulator & k) >>> 0;
    else {
      const holds = op === 0x15 ? accumulator === k : accumulator >= k;
      at += code.getUint8(8 * at + (holds ? 2 : 3));
    }
  }
  throw new Error('ran off the end');
};

const machine = thisMachine();
const program = seccompFilter(machine);

describe('the filter', () => {
  test('is short enough for the kernel', () => {
    expect(program.length / 8).toBeLessThan(4096);
  });

  test.each([
    ['mount', { nr: machine.mount }, NOTIFY],
    ['umount2', { nr: machine.umount2 }, NOTIFY],
    ['openat2', { nr: 437 }, NOTIFY],
    ['fsopen', { nr: 430 }, ERRNO | 38],
    ['vmsplice', { nr: machine.vmsplice }, ERRNO | 22],
    ['a clone of the device', { nr: machine.ioctl, args: [5, 0x8004e500] }, ERRNO],
    ['another ioctl', { nr: machine.ioctl, args: [5, 0x5401] }, ALLOW],
    ['openat for both', { nr: machine.openat, args: [AT_FDCWD, 1, O_RDWR | O_CLOEXEC] }, NOTIFY],
    ['openat that creates', { nr: machine.openat, args: [AT_FDCWD, 1, O_RDWR | O_CREAT] }, ALLOW],
    ['openat to read', { nr: machine.openat, args: [AT_FDCWD, 1, 0] }, ALLOW],
    ['openat below a directory', { nr: machine.openat, args: [7, 1, O_RDWR] }, ALLOW],
    ['read', { nr: 0 }, ALLOW],
    ['another architecture', { nr: machine.mount, arch: 0x40000003 }, ALLOW],
  ])('answers %s', (_, call, answer) => {
    expect(run(program, call) >>> 0).toBe(answer >>> 0);
  });

  test.runIf(machine.x32)('has no x32 calls', () => {
    expect(run(program, { nr: 0x40000000 + machine.mount })).toBe(ERRNO | 38);
  });
});
