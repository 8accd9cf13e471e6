/**
 * The system calls that Node has no function for. Every function returns what the call returned, or minus the errno:
 * nothing here throws and nothing here knows about FUSE.
 */

import koffi from 'koffi';

const library = koffi.load(null);

type Callable = (...args: readonly unknown[]) => number;
const declare = (prototype: string): Callable => library.func(prototype) as unknown as Callable;

/** Memory that a call reads or fills: a view, or the address of memory that somebody keeps alive. */
export type Memory = Uint8Array | number;

const byView = {
  read: declare('long read(int, void*, size_t)'),
  write: declare('long write(int, const void*, size_t)'),
};
const byAddress = {
  read: declare('long read(int, uintptr_t, size_t)'),
  write: declare('long write(int, uintptr_t, size_t)'),
  recv: declare('long recv(int, uintptr_t, size_t, int)'),
};
const native = {
  close: declare('int close(int)'),
  open: declare('int open(const char*, int, int)'),
  socketpair: declare('int socketpair(int, int, int, void*)'),
  setsockopt: declare('int setsockopt(int, int, int, void*, unsigned int)'),
  getsockopt: declare('int getsockopt(int, int, int, void*, void*)'),
  shutdown: declare('int shutdown(int, int)'),
  send: declare('long send(int, const void*, size_t, int)'),
  recvmsg: declare('long recvmsg(int, void*, int)'),
  sendmsg: declare('long sendmsg(int, void*, int)'),
  poll: declare('int poll(void*, unsigned long, int)'),
  eventfd: declare('int eventfd(unsigned int, int)'),
  fcntl: declare('int fcntl(int, int, long)'),
  ioctl: declare('int ioctl(int, unsigned long, void*)'),
  mount: declare('int mount(const char*, const char*, const char*, unsigned long, const char*)'),
  umount2: declare('int umount2(const char*, int)'),
  prctl: declare('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)'),
  personality: declare('int personality(unsigned long)'),
  exit: declare('void _exit(int)'),
  waitpid: declare('int waitpid(int, void*, int)'),
  sched_setaffinity: declare('int sched_setaffinity(int, size_t, void*)'),
  sched_getaffinity: declare('int sched_getaffinity(int, size_t, void*)'),
  process_vm_readv: declare(
    'long process_vm_readv(int, void*, unsigned long, void*, unsigned long, unsigned long)',
  ),
  syscall3: declare('long syscall(long, unsigned long, unsigned long, void*)'),
  mountSetattr: declare('long syscall(long, long, const char*, unsigned long, void*, size_t)'),
  landlockCreate: declare('long syscall(long, void*, size_t, unsigned long)'),
  landlockAddRule: declare('long syscall(long, long, long, void*, unsigned long)'),
  landlockRestrict: declare('long syscall(long, long, unsigned long)'),
  unshare: declare('int unshare(int)'),
  prlimit: declare('int prlimit(int, int, const void*, void*)'),
};

const AT_FDCWD = -100;

const orErrno = (result: number): number => (result < 0 ? -koffi.errno() : result);

/** read(2): bytes read, 0 at end of file, or -errno. */
export const read = (fd: number, memory: Memory, length: number): number =>
  orErrno((typeof memory === 'number' ? byAddress : byView).read(fd, memory, length));

/** write(2): bytes written, or -errno. */
export const write = (fd: number, memory: Memory, length: number): number =>
  orErrno((typeof memory === 'number' ? byAddress : byView).write(fd, memory, length));

/** send(2) without waiting and without SIGPIPE: bytes sent, or -errno. */
export const sendNow = (fd: number, memory: Uint8Array, length: number): number =>
  orErrno(native.send(fd, memory, length, 0x4040));

/**
 * recv(2) into the memory at an address, which spares a tenth of the call: bytes received, 0 at end of file, or -errno;
 * `wait` as long as the socket's time limit lets it.
 */
export const receive = (fd: number, address: number, length: number, wait: boolean): number =>
  orErrno(byAddress.recv(fd, address, length, wait ? 0 : 0x40));

/** How long receiving from a socket may wait. */
export const limitReceiving = (fd: number, ms: number): number =>
  orErrno(native.setsockopt(fd, 1, 20, BigInt64Array.of(0n, BigInt(ms) * 1000n), 16));

/** Address of a view's first byte. Keep the view referenced for as long as the address is used. */
export const addressOf = (memory: Uint8Array): number => Number(koffi.address(memory));

/** close(2). */
export const close = (fd: number): number => orErrno(native.close(fd));
/** open(2), close-on-exec set. */
export const open = (path: string, flags: number): number => orErrno(native.open(path, flags | 0o2000000, 0));
/** shutdown(2): how is 0 (reading), 1 (writing) or 2 (both). */
export const shutdown = (fd: number, how: 0 | 1 | 2): number => orErrno(native.shutdown(fd, how));
/** ioctl(2) with a pointer argument. */
export const ioctl = (fd: number, request: number, memory: Uint8Array): number =>
  orErrno(native.ioctl(fd, request, memory));
/** mount(2). */
export const mount = (source: string, target: string, type: string, flags: number, data: string): number =>
  orErrno(native.mount(source, target, type, flags, data));
/** umount2(2). */
export const umount2 = (target: string, flags: number): number => orErrno(native.umount2(target, flags));
/** unshare(2): what the calling thread has of its own from now on. */
export const unshare = (flags: number): number => orErrno(native.unshare(flags));
/** mount_setattr(2) of MOUNT_ATTR_ bits; Linux 5.12, the same number on every architecture. */
export const mountSetattr = (
  path: string,
  flags: number,
  attributes: { set: number; clear: number },
): number => {
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
  const words = BigUint64Array.of(BigInt(attributes.set), BigInt(attributes.clear), 0n, 0n);
  return orErrno(native.mountSetattr(442, AT_FDCWD, path, flags, words, words.byteLength));
};
/** Version of Landlock in this kernel (landlock_create_ruleset(2)), or -errno. */
export const landlockVersion = (): number => orErrno(native.landlockCreate(444, null, 0, 1));
/** landlock_create_ruleset(2) of LANDLOCK_ACCESS_FS_ bits: a descriptor, close-on-exec, or -errno. */
export const landlockCreate = (handled: bigint): number =>
  orErrno(native.landlockCreate(444, BigUint64Array.of(handled), 8, 0));
/** landlock_add_rule(2): what is allowed at and below an open path. */
export const landlockAddRule = (rules: number, allowed: bigint, path: number): number => {
  // struct landlock_path_beneath_attr, packed: allowed_access, parent_fd
  const attribute = new DataView(new ArrayBuffer(12));
  attribute.setBigUint64(0, allowed, true);
  attribute.setInt32(8, path, true);
  return orErrno(native.landlockAddRule(445, rules, 1, new Uint8Array(attribute.buffer), 0));
};
/** landlock_restrict_self(2) of the calling thread. */
export const landlockRestrict = (rules: number): number => orErrno(native.landlockRestrict(446, rules, 0));
/** prlimit(2): sets the soft and the hard limit of a process. */
export const limitResource = (pid: number, resource: number, limit: number): number =>
  orErrno(native.prlimit(pid, resource, BigUint64Array.of(BigInt(limit), BigInt(limit)), null));
/** prctl(2) with one argument. */
export const prctl = (option: number, argument: number): number =>
  orErrno(native.prctl(option, argument, 0, 0, 0));
/** personality(2) of the calling thread; 0xffffffff only asks. */
export const personality = (persona: number): number => orErrno(native.personality(persona));
/** seccomp(2). */
export const seccomp = (nr: number, operation: number, flags: number, argument: Uint8Array): number =>
  orErrno(native.syscall3(nr, operation, flags, argument));
/** pidfd_open(2); the number is the same on every architecture. */
export const pidfdOpen = (pid: number): number => orErrno(native.syscall3(434, pid, 0, null));
/** pidfd_getfd(2): a copy of another process's descriptor, close-on-exec. */
export const pidfdGetfd = (pidfd: number, fd: number): number =>
  orErrno(native.syscall3(438, pidfd, fd, null));
/** eventfd(2), non-blocking and close-on-exec. */
export const eventfd = (): number => orErrno(native.eventfd(0, 0o2004000));
/** fcntl(2). */
export const fcntl = (fd: number, command: number, argument: number): number =>
  orErrno(native.fcntl(fd, command, argument));

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Makes every use of a descriptor's open file, in whatever process, return EAGAIN where it would wait; 0 or -errno. */
export const neverWait = (fd: number): number => {
  const flags = fcntl(fd, F_GETFL, 0);
  return flags < 0 ? flags : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
};

/** An AF_UNIX pair of SOCK_SEQPACKET (`packet`) or SOCK_STREAM sockets, close-on-exec, or -errno. */
export const socketpair = (packet: boolean): readonly [number, number] | number => {
  const fds = new Int32Array(2);
  const result = orErrno(native.socketpair(1, (packet ? 5 : 1) | 0o2000000, 0, fds));
  return result < 0 ? result : [fds[0] ?? -1, fds[1] ?? -1];
};

/** setsockopt(2) at SOL_SOCKET with an int. */
export const setSocketOption = (fd: number, option: number, value: number): number =>
  orErrno(native.setsockopt(fd, 1, option, Int32Array.of(value), 4));

/** getsockopt(2) at SOL_SOCKET of an int, or -errno. */
export const getSocketOption = (fd: number, option: number): number => {
  const value = new Int32Array(1);
  const result = orErrno(native.getsockopt(fd, 1, option, value, Int32Array.of(4)));
  return result < 0 ? result : (value[0] ?? 0);
};

/** _exit(2): ends the process with all its threads, whatever they wait for. Does not return. */
export const exitNow = (status: number): void => {
  native.exit(status);
};

/** waitpid(2): pid and raw status of a child that ended, `undefined` when none of that pid has. */
export const waitpid = (pid: number): { readonly pid: number; readonly status: number } | undefined => {
  const status = new Int32Array(1);
  const result = orErrno(native.waitpid(pid, status, 1));
  return result > 0 ? { pid: result, status: status[0] ?? 0 } : undefined;
};

/** Processors that a thread may run on (0: the calling one); empty when the call failed. */
export const affinity = (tid: number): number[] => {
  const mask = new Uint8Array(128);
  if (orErrno(native.sched_getaffinity(tid, mask.length, mask)) < 0) return [];
  return Array.from({ length: 1024 }, (_, cpu) => cpu).filter(
    (cpu) => ((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1,
  );
};

/** Confines a thread (0: the calling one) to some processors. */
export const setAffinity = (tid: number, cpus: readonly number[]): number => {
  const mask = new Uint8Array(128);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return orErrno(native.sched_setaffinity(tid, mask.length, mask));
};

/** Bytes of another process's memory: as many as could be read before an unmapped page, `undefined` when none could. */
export const readMemory = (pid: number, address: bigint, length: number): Uint8Array | undefined => {
  const out = new Uint8Array(length);
  const local = BigUint64Array.of(koffi.address(out), BigInt(length));
  // One vector a page: the call stops at the first one that is not wholly readable.
  const spans: bigint[] = [];
  for (let at = address, left = BigInt(length); left > 0n; ) {
    const room = 4096n - (at & 4095n);
    const span = room < left ? room : left;
    spans.push(at, span);
    at += span;
    left -= span;
  }
  const remote = BigUint64Array.from(spans);
  const result = orErrno(native.process_vm_readv(pid, local, 1, remote, spans.length / 2, 0));
  return result <= 0 ? undefined : out.subarray(0, result);
};

/** Receives one message with at most one descriptor: its first byte and the descriptor, or -errno; 0 at end of file. */
export const receiveDescriptor = (socket: number): { readonly fd: number | undefined } | number => {
  const byte = new Uint8Array(1);
  const control = new Uint8Array(24);
  const vector = BigUint64Array.of(koffi.address(byte), 1n);
  // struct msghdr of a 64-bit Linux: name, namelen, iov, iovlen, control, controllen, flags
  const message = BigUint64Array.of(0n, 0n, koffi.address(vector), 1n, koffi.address(control), 24n, 0n);
  const result = orErrno(native.recvmsg(socket, message, 0x40000000));
  if (result <= 0) return result;
  const view = new DataView(control.buffer);
  return { fd: message[5] === 0n || view.getInt32(12, true) !== 1 ? undefined : view.getInt32(16, true) };
};

/** poll(2) readiness that can be asked for; that a peer is gone comes unasked. */
export const POLLIN = 1;
export const POLLOUT = 4;

/** A fixed set of descriptors for poll(2); made once and used for every wait, so that a wait allocates nothing. */
export class PollSet {
  readonly #entries: Uint8Array;
  readonly #view: DataView;

  constructor(fds: readonly number[]) {
    this.#entries = new Uint8Array(8 * fds.length);
    this.#view = new DataView(this.#entries.buffer);
    fds.forEach((fd, slot) => {
      this.set(slot, fd, POLLIN);
    });
  }

  /** Changes what is waited for in a slot; a negative descriptor is passed over. */
  set(slot: number, fd: number, events: number): void {
    this.#view.setInt32(8 * slot, fd, true);
    this.#view.setInt16(8 * slot + 4, events, true);
  }

  /** Waits; number of ready slots, 0 after the time-out, or -errno. A negative time-out waits for ever. */
  wait(timeoutMs: number): number {
    return orErrno(native.poll(this.#entries, this.#entries.length / 8, timeoutMs));
  }

  /** What the last wait found ready in a slot. */
  ready(slot: number): number {
    return this.#view.getInt16(8 * slot + 6, true);
  }
}
