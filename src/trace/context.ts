/** What a trace tells besides frames: who recorded what, how it was mounted, each incarnation's handshake, memory and end. */

/** How much of the contents of files (data, extended attributes) a trace keeps. */
export type PayloadMode =
  | { readonly kind: 'full' }
  | { readonly kind: 'none' }
  /** The first `bytes` of each. */
  | { readonly kind: 'first'; readonly bytes: number }
  /** Cut away, with the SHA-256 kept. */
  | { readonly kind: 'hash' };

/** What is known before the server starts. */
export interface TraceContext {
  readonly relightVersion: string;
  readonly startTimeNs: bigint;
  /** `uname -r` and `uname -m`. */
  readonly kernelRelease: string;
  readonly arch: string;
  readonly pageSize: number;
  readonly byteOrder: 'little' | 'big' | 'unknown';
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Only names that matter to servers; values as they were. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly payload: PayloadMode;
  /** The recording filter as typed; empty when everything was recorded. */
  readonly filter: string;
  readonly redacted: boolean;
}

/** A request that has no answer yet. */
export interface Waiting {
  /** Without the resend mark. */
  readonly unique: bigint;
  readonly opcode: number;
  readonly nodeid: bigint;
  readonly seq: number;
  readonly timeNs: bigint;
}

/** The first record of a file. */
export interface TraceHeader extends TraceContext {
  readonly formatVersion: number;
  /** 16 bytes, equal in all parts of a rotated trace. */
  readonly traceId: Uint8Array;
  /** 0 for the first part. */
  readonly part: number;
  /** Sequence number of the first frame of this part. */
  readonly firstSeq: number;
  /** Requests of earlier parts that are answered here, or never. */
  readonly waiting: readonly Waiting[];
}

/** A mount as the server asked for it. */
export interface MountFacts {
  readonly timeNs: bigint;
  readonly point: string;
  /** Such as `fuse` or `fuse.sshfs`. */
  readonly fstype: string;
  readonly source: string;
  /** Flags of mount(2). */
  readonly flags: bigint;
  readonly options: string;
}

/** A server process began. */
export interface StartFacts {
  readonly incarnation: number;
  readonly timeNs: bigint;
  readonly pid: number;
  /** Address space layout randomisation. */
  readonly aslr: 'on' | 'off' | 'unknown';
}

/** Something that the recorder changed in the handshake. */
export interface Change {
  readonly text: string;
  /** INIT flags concerned; 0n when it is about something else. */
  readonly bits: bigint;
}

/** The handshake: whole frames, headers included. */
export interface InitFacts {
  readonly incarnation: number;
  readonly timeNs: bigint;
  /** As the kernel sent it, and as the server got it. */
  readonly offered: Uint8Array;
  readonly sent: Uint8Array;
  /** As the server answered, and as the kernel got it. */
  readonly reply: Uint8Array;
  readonly written: Uint8Array;
  readonly changes: readonly Change[];
}

/** One mapping of the server's memory. */
export interface MemoryRange {
  readonly start: bigint;
  /** One past the last byte. */
  readonly end: bigint;
  /** As in /proc/PID/maps: `rw-p`. */
  readonly permissions: string;
  readonly offset: bigint;
  /** File or a name such as `[heap]`; empty for anonymous memory. */
  readonly path: string;
}

/** The server's memory at one moment. */
export interface MapsFacts {
  readonly incarnation: number;
  readonly timeNs: bigint;
  readonly ranges: readonly MemoryRange[];
}

/** A server process ended, or its recording did. */
export interface EndFacts {
  readonly incarnation: number;
  readonly timeNs: bigint;
  /** Exit status; absent when a signal killed it or it still ran. */
  readonly exitCode?: number;
  /** Number of the signal that killed it. */
  readonly signal?: number;
  /** Last lines of standard error, oldest first. */
  readonly stderr: readonly string[];
}
