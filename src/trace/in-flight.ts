/**
 * Requests without an answer, followed on raw bytes as frames are written: enough to say of every frame which operation
 * and which node it belongs to. For reading there is `exchange.ts`.
 */

import { holdsReply, holdsRequest } from '../protocol/header.js';
import { operationOf } from '../protocol/operations.js';
import { u32At } from '../protocol/raw.js';
import type { Waiting } from './context.js';
import { OP_NOTIFY, OP_UNPAIRED } from './format.js';

/** Requests remembered at most; a server that answers none must not fill the recorder's memory. */
const MAX_WAITING = 1 << 17;
const OPCODES = 1 << 16;

interface Entry {
  readonly low: number;
  readonly high: number;
  readonly opcode: number;
  readonly nodeLow: number;
  readonly nodeHigh: number;
  readonly seq: number;
  readonly timeNs: bigint;
  readonly isOwed: boolean;
}

const u64 = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

const halves = (value: bigint): [low: number, high: number] => [
  Number(value & 0xffff_ffffn),
  Number(value >> 32n) & 0x7fff_ffff,
];

/** Without bit 63, which marks a resend; only 53 bits count, and no kernel counts that far. */
const keyOf = (low: number, high: number): number => (high & 0x1fffff) * 2 ** 32 + low;

/** What `InFlight.see` found about the last frame. Valid until the next; one object, so that no frame costs another. */
export interface Sighting {
  /** As in `BlockHead.ops`. */
  op: number;
  isError: boolean;
  /** False when the frame belongs to no node that is known. */
  hasNode: boolean;
  nodeLow: number;
  nodeHigh: number;
  /** Sequence number of the request that a reply answers; that of the frame itself for all others. */
  requestSeq: number;
}

/** The requests of one incarnation that have no answer. */
export class InFlight {
  readonly #waiting = new Map<number, Entry>();
  #interrupts = 0;
  readonly #seen: Sighting = {
    op: 0,
    isError: false,
    hasNode: false,
    nodeLow: 0,
    nodeHigh: 0,
    requestSeq: 0,
  };

  /** Takes note of a frame. Bytes that are no frame count as unpaired. */
  see(toKernel: boolean, bytes: Uint8Array, seq: number, timeNs: bigint): Readonly<Sighting> {
    this.#seen.requestSeq = seq;
    if (!(toKernel ? holdsReply(bytes) : holdsRequest(bytes))) return this.#found(OP_UNPAIRED, undefined);
    return toKernel ? this.#reply(bytes) : this.#request(bytes, seq, timeNs);
  }

  /** Requests that the kernel waits for, oldest first. */
  list(): Waiting[] {
    return [...this.#waiting.values()]
      .filter((entry) => entry.isOwed)
      .map(({ low, high, opcode, nodeLow, nodeHigh, seq, timeNs }) => ({
        unique: u64(low, high),
        opcode,
        nodeid: u64(nodeLow, nodeHigh),
        seq,
        timeNs,
      }));
  }

  /** Adds a request of an earlier part. */
  add({ unique, opcode, nodeid, seq, timeNs }: Waiting): void {
    const [low, high] = halves(unique);
    const [nodeLow, nodeHigh] = [Number(nodeid & 0xffff_ffffn), Number(nodeid >> 32n)];
    this.#waiting.set(keyOf(low, high), { low, high, opcode, nodeLow, nodeHigh, seq, timeNs, isOwed: true });
  }

  /** Forgets all: the incarnation is over. */
  clear(): void {
    this.#waiting.clear();
    this.#interrupts = 0;
  }

  #found(op: number, entry: Entry | undefined, isError = false): Readonly<Sighting> {
    const seen = this.#seen;
    seen.op = op;
    seen.isError = isError;
    seen.hasNode = entry !== undefined;
    seen.nodeLow = entry?.nodeLow ?? 0;
    seen.nodeHigh = entry?.nodeHigh ?? 0;
    return seen;
  }

  #request(bytes: Uint8Array, seq: number, timeNs: bigint): Readonly<Sighting> {
    const opcode = u32At(bytes, 4);
    const low = u32At(bytes, 8);
    const high = u32At(bytes, 12) & 0x7fffffff;
    const rule = operationOf(opcode)?.replyRule ?? 'always';
    const entry = {
      low,
      high,
      opcode,
      nodeLow: u32At(bytes, 16),
      nodeHigh: u32At(bytes, 20),
      seq,
      timeNs,
      isOwed: rule === 'always',
    };
    if (rule !== 'never') this.#add(keyOf(low, high), entry);
    return this.#found(opcode < OPCODES ? opcode : OP_UNPAIRED, entry);
  }

  #add(key: number, entry: Entry): void {
    if (!entry.isOwed) this.#interrupts++;
    this.#waiting.set(key, entry);
    if (this.#waiting.size <= MAX_WAITING) return;
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
      break;
    }
  }

  #reply(bytes: Uint8Array): Readonly<Sighting> {
    const error = u32At(bytes, 4) | 0;
    const low = u32At(bytes, 8);
    const high = u32At(bytes, 12);
    if (low === 0 && high === 0) return this.#found(OP_NOTIFY + (error & 0xffff), undefined);
    const key = keyOf(low, high);
    const entry = this.#waiting.get(key);
    if (entry === undefined) return this.#found(OP_UNPAIRED, undefined, error !== 0);
    this.#seen.requestSeq = entry.seq;
    this.#waiting.delete(key);
    // INTERRUPT has the unique of its target with bit 0 set, and is answered only by servers that do not know the target.
    if (this.#interrupts > 0 && this.#waiting.delete(key + 1)) this.#interrupts--;
    if (!entry.isOwed) this.#interrupts--;
    return this.#found(entry.opcode < OPCODES ? entry.opcode : OP_UNPAIRED, entry, error !== 0);
  }
}
