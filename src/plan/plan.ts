/**
 * What a plan is: a recorded conversation in which every id that the server minted is a symbol, so that it can be held
 * again with any incarnation. Data only; who makes it (`lift.ts`, `text.ts`) and who binds it (`bind.ts`) is not known here.
 */

import type { Negotiated } from '../protocol/negotiated.js';
import type { IdUse } from '../protocol/operation.js';
import type { Operation } from '../protocol/operations.js';

/** Numbered things that can be made on demand; an array is one. */
export interface Sequence<T> extends Iterable<T> {
  readonly length: number;
  /** The one at an index from 0 on; `undefined` beyond the end. */
  at(index: number): T | undefined;
}

/** A number made from a bound one: `add` modulo 2^64, then the bits of `flip` inverted. */
export interface Shift {
  readonly add: bigint;
  readonly flip: bigint;
}

/** An id in a request that names what an earlier reply (or the time before the recording) minted. */
export interface SymbolPatch {
  readonly kind: 'symbol';
  /** Byte in the template where the u64 stands. */
  readonly offset: number;
  readonly use: IdUse;
  readonly symbol: number;
  /** Not the bound number itself is sent but one made from it. Only in plans that were made to try wrong ids. */
  readonly shift?: Shift;
}

/** The request that an INTERRUPT is about, or at the place of the request's own unique the one that it repeats. */
export interface StepPatch {
  readonly kind: 'step';
  readonly offset: number;
  readonly use: IdUse;
  /** Absent when the interrupted request was sent before the recording began. */
  readonly step: number | undefined;
}

/** A place of a request that depends on the incarnation. */
export type Patch = SymbolPatch | StepPatch;

/** An id in the recorded reply. A node that the kernel knew already is minted again: the same symbol. */
export interface Mint {
  /** Byte in the recorded reply where the u64 stands; 0 in a step without one, which tells only what a good reply mints. */
  readonly offset: number;
  readonly use: IdUse;
  readonly symbol: number;
  /** Directory record whose node it is. Only in a step without a recorded reply, and for a use with `each`. */
  readonly name?: string;
}

/** One request and the recorded answer. Byte arrays are views that must not be written to. */
export interface Step {
  readonly index: number;
  /** Number of the recorded request frame. */
  readonly seq: number;
  /** When the request was sent, in nanoseconds since the first step. */
  readonly timeNs: number;
  /** When it was answered, on the same clock; absent when it was not. */
  readonly replyTimeNs: number | undefined;
  readonly incarnation: number;
  /** Absent when the opcode is newer than the operation table. */
  readonly op: Operation | undefined;
  /** The request as recorded, header included, at its length on the wire. */
  readonly template: Uint8Array;
  /** Bytes of the template that were recorded; the rest is zeroes in place of contents that the recorder cut away. */
  readonly templateKept: number;
  readonly patches: readonly Patch[];
  /** The recorded reply, header included; absent when there was none. */
  readonly reply: Uint8Array | undefined;
  /** As `templateKept`; 0 without a reply. */
  readonly replyKept: number;
  readonly mints: readonly Mint[];
  /**
   * Steps that come before this one: it may be sent once all of them are answered, or sent if they get no answer
   * (`replyRule` is `never`). Always smaller numbers, without duplicates; what follows from others may be left out.
   */
  readonly after: readonly number[];
  /** Whether the server answered it in the recording. */
  readonly answered: boolean;
  /** Index of the first step that was sent after the answer came; absent when there was none. */
  readonly answeredBefore: number | undefined;
  /** Sent again by the kernel after an earlier sending that is not in the plan (bit 63 of its unique is set). */
  readonly resent: boolean;
}

/**
 * Where an id comes from. `earlier`: minted before the recording began, by a reply that nobody saw. `memory`: nobody minted
 * it, it is an address in a server's memory, which the driver reads from the memory map.
 */
export type Origin = 'root' | 'step' | 'earlier' | 'memory';

/** Places in a server's memory that an id may be made to point to. `gap`: an address that is not mapped. */
export const memoryPlaces = [
  'heap.start',
  'heap.middle',
  'heap.end',
  'data',
  'stack',
  'code',
  'gap',
] as const;
/** See `memoryPlaces`. */
export type MemoryPlace = (typeof memoryPlaces)[number];

/** An address in the memory of one life of the server. */
export interface MemorySpot {
  readonly place: MemoryPlace;
  /** Incarnation whose memory it is. */
  readonly incarnation: number;
}

/**
 * A node or an open file as the server named it while it was recorded. A nodeid that is minted again while the kernel
 * holds it is the same symbol, after its last lookup was forgotten a new one; a handle belongs to its node, since many
 * servers give every file the same fh.
 */
export interface PlanSymbol {
  readonly id: number;
  readonly kind: 'node' | 'handle';
  readonly origin: Origin;
  /** Step whose reply minted it first; only with origin `step`. */
  readonly mintedBy: number | undefined;
  /** A handle's node. */
  readonly node: number | undefined;
  /**
   * Where a node was when it was first seen, or for origin `earlier` when the recording began, as far as that can be told
   * from later names; for a handle that of its node. Absent when it has no known name.
   */
  readonly path: string | undefined;
  /** `mode & S_IFMT` of a node; absent when no reply told. */
  readonly type: number | undefined;
  /** The number in the recording. */
  readonly recorded: bigint;
  /** As minted; absent for handles and where no reply told. */
  readonly generation: bigint | undefined;
  /** Only with origin `memory`. */
  readonly spot?: MemorySpot;
}

/** A notification of the recording, or the kernel's answer to one. */
export interface Notice {
  readonly seq: number;
  /** On the clock of the steps. */
  readonly timeNs: number;
  readonly incarnation: number;
  /** Index of the first step that was sent after it. */
  readonly before: number;
  /** The notification, header included. */
  readonly bytes: Uint8Array;
  /** NOTIFY_REPLY to a NOTIFY_RETRIEVE. */
  readonly answer: Uint8Array | undefined;
}

/** A step's request went out a second time, with bit 63 set. */
export interface Resend {
  readonly seq: number;
  readonly incarnation: number;
  readonly step: number;
}

/** What of the recording did not make it into steps. */
export interface PlanNotes {
  /** Steps that rely on an id from before the recording, of which a path is known. */
  readonly byPath: number;
  /** Replies to requests that were not recorded. */
  readonly strayReplies: number;
  /** Answers to notifications that were not recorded. */
  readonly strayAnswers: number;
  /** Frames too short for a header. */
  readonly broken: number;
  /** Steps without an answer though one was due, such as those in flight when the server died. */
  readonly unanswered: number;
  /** Numbers in the sequence of frames that the recording does not have. */
  readonly missing: number;
}

/** A conversation that can be held again. */
export interface Plan {
  /** What INIT settled in the recording; the newest minor without options when it has no INIT. */
  readonly negotiated: Negotiated;
  /** The INIT request as the server got it. */
  readonly init: Uint8Array | undefined;
  readonly initReply: Uint8Array | undefined;
  /** In the order in which they were sent. */
  readonly steps: Sequence<Step>;
  /** Symbol 0 is the root. */
  readonly symbols: Sequence<PlanSymbol>;
  readonly notices: readonly Notice[];
  readonly resends: readonly Resend[];
  /** Steps that rely on an id from before the recording that has no path either. */
  readonly unbound: number;
  readonly notes: PlanNotes;
}

/** A node of which nothing is known, for those who name symbols by hand. */
export const blankSymbol = {
  kind: 'node',
  origin: 'earlier',
  mintedBy: undefined,
  node: undefined,
  path: undefined,
  type: undefined,
  recorded: 0n,
  generation: undefined,
} as const satisfies Omit<PlanSymbol, 'id'>;

/** Symbol of the root in every plan. */
export const ROOT_SYMBOL = 0;
