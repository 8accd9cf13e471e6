import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exitMeaning, type ServerExit } from '#relight/oracle/exit.js';

const ended = (more: Partial<ServerExit>): ServerExit => ({
  code: undefined,
  signal: undefined,
  stderr: [],
  ...more,
});

describe('signals and exit codes', () => {
  it.each<[Partial<ServerExit>, string, string]>([
    [{ signal: 'SIGSEGV' }, 'crash', 'SIGSEGV'],
    [{ signal: 'SIGBUS' }, 'crash', 'SIGBUS'],
    [{ signal: 'SIGFPE' }, 'crash', 'SIGFPE'],
    [{ signal: 'SIGILL' }, 'crash', 'SIGILL'],
    [{ signal: 'SIGABRT' }, 'abort', 'SIGABRT'],
    [{ signal: 'SIGTRAP' }, 'abort', 'SIGTRAP'],
    [{ signal: 'SIGPIPE' }, 'abort', 'SIGPIPE'],
    [{ signal: 'SIGKILL' }, 'unknown', 'SIGKILL'],
    [{ signal: 'SIGTERM' }, 'unknown', 'SIGTERM'],
    [{ signal: 'SIGXFSZ' }, 'unknown', 'SIGXFSZ'],
    [{ code: 0 }, 'abort', 'exit 0'],
    [{ code: 1 }, 'abort', 'exit 1'],
    [{ code: 139 }, 'crash', 'SIGSEGV'],
    [{ code: 134 }, 'abort', 'SIGABRT'],
    [{}, 'abort', 'gone'],
  ])('%o is %s', (exit, verdict, signature) => {
    expect(exitMeaning(ended(exit))).toMatchObject({ verdict, signature });
  });

  it('keep the last lines when they say nothing that is known', () => {
    const stderr = ['one', 'two', 'three', 'four', 'five', 'six'];
    expect(exitMeaning(ended({ code: 3, stderr })).evidence).toEqual([
      'the server exited with status 3',
      ...stderr.slice(1).map((line) => `stderr: ${line}`),
    ]);
  });

  it('with a back trace name the innermost function', () => {
    const backTrace = ['#0  0x00007ffff7e in lo_getattr (req=0x0) at passthrough_ll.c:212', '#1  main'];
    expect(exitMeaning(ended({ signal: 'SIGSEGV', backTrace }))).toMatchObject({
      signature: 'SIGSEGV: in lo_getattr',
      evidence: ['the server was killed by SIGSEGV', ...backTrace],
    });
  });
});

describe('a frame without a name', () => {
  it('is known by its library', () => {
    const backTrace = [
      '#4  0x00007f8e575dee6e in ?? () from /lib/x86_64-linux-gnu/libfuse.so.2',
      '#5  main ()',
    ];
    const { signature } = exitMeaning(ended({ signal: 'SIGABRT', backTrace }));
    expect(signature).toBe('SIGABRT: in libfuse.so.2');
  });

  it('nor a library adds nothing', () => {
    const { signature } = exitMeaning(
      ended({ signal: 'SIGSEGV', backTrace: ['#0  0x0000564baca46462 in ?? ()'] }),
    );
    expect(signature).toBe('SIGSEGV');
  });
});

const asan = `
=================================================================
==812==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x55 bp 0x7f sp 0x7f
READ of size 8 at 0x602000000010 thread T1
    #0 0x4a3b2c in __interceptor_memcpy (/usr/bin/server+0x4a3b2c)
    #1 0x55d0c1 in lo_inode(fuse_req*, unsigned long) /src/passthrough_ll.c:147:10
    #2 0x55d0c2 in lo_getattr /src/passthrough_ll.c:212:5`;
const valgrind = `
==4242== Invalid read of size 8
==4242==    at 0x10C2D4: lo_getattr (passthrough_ll.c:212)
==4242==    by 0x487A1B: ??? (in /usr/lib/libfuse3.so.3)
==4242==  Address 0x55810000 is not stack'd, malloc'd or (recently) free'd`;
const ubsan = `passthrough_ll.c:150:9: runtime error: member access within misaligned address 0x000000000007 for type 'struct lo_inode'`;
const goPanic = `
panic: unknown node 17

goroutine 34 [running]:
panic({0x6b1f40?, 0xc0001a2010?})
	/usr/lib/go/src/runtime/panic.go:770 +0x132
log.Panicf({0x70b6a1?, 0x0?}, {0xc0000adb20?})
	/usr/lib/go/src/log/log.go:439 +0x65
github.com/hanwen/go-fuse/v2/fs.(*rawBridge).inode(0xc000110000, 0x11, 0x0)
	/build/go/pkg/mod/github.com/hanwen/go-fuse/v2@v2.1.0/fs/bridge.go:315 +0x1d1`;
const goSignal = `
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x5f1e2a]

goroutine 7 [running]:
main.(*node).Getattr(0x0, {0x7a1b40, 0xc000})
	/src/main.go:40 +0x2a`;
const rust = `thread 'fuse-worker' panicked at src/overlay.rs:589:20:
no entry found for key
note: run with \`RUST_BACKTRACE=1\``;
const cpp = `terminate called after throwing an instance of 'std::out_of_range'
  what():  vector::_M_range_check`;
const python = `Traceback (most recent call last):
  File "memfs.py", line 40, in getattr
    node = self.nodes[ino]
KeyError: 17`;

describe('what servers say when they die', () => {
  it.each<[string, string, Partial<ServerExit>, string, string]>([
    ['asan', asan, { signal: 'SIGABRT' }, 'crash', 'SIGABRT: asan heap-use-after-free: in lo_inode'],
    [
      'valgrind',
      valgrind,
      { signal: 'SIGSEGV' },
      'crash',
      'SIGSEGV: valgrind Invalid read of size N: in lo_getattr',
    ],
    [
      'ubsan',
      ubsan,
      { code: 1 },
      'crash',
      "exit 1: ubsan passthrough_ll.c:150:9: runtime error: member access within misaligned address 0x… for type 'struct lo_inode'",
    ],
    [
      'go, panic',
      goPanic,
      { code: 2 },
      'abort',
      'exit 2: go unknown node N: in github.com/hanwen/go-fuse/v2/fs.(*rawBridge).inode',
    ],
    [
      'go, signal',
      goSignal,
      { code: 2 },
      'crash',
      'exit 2: go [signal SIGSEGV: segmentation violation code=0x… addr=0x… pc=0x…]: in main.(*node).Getattr',
    ],
    ['rust', rust, { code: 101 }, 'abort', 'exit 101: rust src/overlay.rs:589:20: no entry found for key'],
    [
      'c++',
      cpp,
      { signal: 'SIGABRT' },
      'abort',
      "SIGABRT: c++ terminate called after throwing an instance of 'std::out_of_range' what(): vector::_M_range_check",
    ],
    [
      'libfuse',
      'fuse internal error: node 17 not found',
      { signal: 'SIGABRT' },
      'abort',
      'SIGABRT: libfuse fuse internal error: node N not found',
    ],
    [
      'assert',
      "bindfs: ../lib/fuse.c:1393: forget_node: Assertion `node->nlookup >= nlookup' failed.",
      { signal: 'SIGABRT' },
      'abort',
      "SIGABRT: assert ../lib/fuse.c:1393: forget_node: Assertion `node->nlookup >= nlookup' failed.",
    ],
    [
      'musl assert',
      'Assertion failed: inode != NULL (main.c: ovl_getattr: 120)',
      { signal: 'SIGABRT' },
      'abort',
      'SIGABRT: assert Assertion failed: inode != NULL (main.c: ovl_getattr: N)',
    ],
    [
      'glibc',
      'free(): invalid pointer',
      { signal: 'SIGABRT' },
      'abort',
      'SIGABRT: glibc free(): invalid pointer',
    ],
    [
      'glibc, double',
      'double free or corruption (out)',
      { signal: 'SIGABRT' },
      'abort',
      'SIGABRT: glibc double free or corruption (out)',
    ],
    ['python', python, { code: 1 }, 'abort', 'exit 1: python KeyError: N'],
  ])('%s', (_, said, exit, verdict, signature) => {
    expect(exitMeaning(ended({ ...exit, stderr: said.split('\n') }))).toMatchObject({ verdict, signature });
  });

  it('is quoted in the evidence, with the function', () => {
    const { evidence } = exitMeaning(ended({ signal: 'SIGABRT', stderr: asan.split('\n') }));
    expect(evidence).toEqual(['the server was killed by SIGABRT', 'asan: heap-use-after-free in lo_inode']);
  });

  it('is the same for two runs of one fault', () => {
    const line = (n: number, at: string) => [`fuse internal error: node ${n} not found`, `at ${at}`];
    const signature = (stderr: string[]) => exitMeaning(ended({ signal: 'SIGABRT', stderr })).signature;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.string(), (a, b, at) => {
        expect(signature(line(a, at))).toBe(signature(line(b, 'elsewhere')));
      }),
      { numRuns: 20 },
    );
  });

  it('may be anything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 8 }),
        fc.option(fc.nat(255), { nil: undefined }),
        (stderr, code) => {
          expect(exitMeaning(ended({ stderr, code })).evidence.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
