/**
 * The loop between the kernel's device and the server's channel: every message is read into the ring, forwarded from
 * there and then given to the trace. One thread serves both directions, so the order of the trace is the order in
 * which messages were forwarded, and neither direction can wait for the other.
 */

import { nowNs } from '../base/clock.js';
import { Errno, errnoName } from '../base/errno.js';
import { mostForgets, splitBatchForget } from '../protocol/batch-forget.js';
import { failure, isNotification, OUT_HEADER_SIZE, opcodeOf, uniqueOf } from '../protocol/header.js';
import { operationNamed, operationOf } from '../protocol/operations.js';
import { isTooLong } from '../transport/channel.js';
import {
  addressOf,
  close,
  neverWait,
  POLLIN,
  POLLOUT,
  PollSet,
  read,
  shutdown,
  write,
} from '../transport/libc.js';
import { Reassembler } from '../transport/reassembler.js';
import { takeWake } from '../transport/wake.js';
import { InitDuties } from './init-duties.js';
import type { FromRelay, RelayCounts, RelayOptions, RelaySides } from './messages.js';
import { NotificationWriter } from './notification-writer.js';
import { RecordKind, RingProducer } from './ring.js';

const DEVICE = 0;
const CHANNEL = 1;
const WAKE = 2;
const CLOSED = -1;

/** Every server reads this many bytes at least (FUSE_MIN_READ_BUFFER). */
const SHORT = 8192;
const BATCH_FORGET = operationNamed('BATCH_FORGET').opcode;

/** No piece of a reply that splice(2) cut is shorter, but the last. */
const LEAST_PIECE = 4096;

/** A frame in the ring, reserved and not yet committed. */
interface Place {
  /** Offset in the ring, or SCRATCH. */
  readonly at: number;
  readonly length: number;
  readonly timeNs: bigint;
}

/** Place of a frame that the trace will not have. */
const SCRATCH = -1;

/** How long the rest of a reply that was cut may take before it is taken for a server's nonsense. */
const PIECES_TIMEOUT_MS = 1000;

/** Relays until it is stopped. All calls on the relay's own thread. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #tell: (message: FromRelay) => void;
  readonly #ring: RingProducer;
  readonly #base: number;
  readonly #poll: PollSet;
  /** Where frames go that the trace will not have. */
  #scratch: Uint8Array = new Uint8Array(0);
  #scratchBase = 0;
  #init = new InitDuties(0);
  readonly #refused = new Map<number, number>();
  /** Made when splice first cuts a reply. */
  #pieces: Reassembler | undefined;
  /** When the reply began that is in pieces. */
  #cutNs = 0n;
  #device = CLOSED;
  #channel = CLOSED;
  #notifier: NotificationWriter | undefined;
  /** Requests that the server's socket had no room for, oldest first. */
  #stuck: Uint8Array[] = [];
  #requests = 0;
  #replies = 0;
  #notifications = 0;
  #bytes = 0;
  #dropped = 0;
  #droppedInRow = 0;

  constructor(options: RelayOptions, tell: (message: FromRelay) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#ring = new RingProducer(options.ring);
    this.#base = addressOf(this.#ring.bytes);
    this.#poll = new PollSet([CLOSED, CLOSED, options.wakeFd]);
  }

  /** Starts to relay between an open device and an open channel, whose open files never wait from here on. */
  connect({ device, channel, maxMessage }: RelaySides): void {
    // A device that fusermount3 opened waits, as does every new socket; the server's end is an open file of its own.
    neverWait(device);
    neverWait(channel);
    this.#device = device;
    this.#channel = channel;
    this.#notifier = new NotificationWriter(device);
    this.#init = new InitDuties(maxMessage);
    if (!this.#options.drop) return;
    this.#scratch = new Uint8Array(maxMessage);
    this.#scratchBase = addressOf(this.#scratch);
  }

  /** Relays until a message for the thread arrives (the wake-up was taken). */
  run(): void {
    for (;;) {
      this.#arm();
      if (this.#poll.wait(this.#isCutOpen ? PIECES_TIMEOUT_MS : -1) < 0) continue;
      this.#giveUpLate();
      if (this.#poll.ready(WAKE) & POLLIN) {
        takeWake(this.#options.wakeFd);
        return;
      }
      const channel = this.#poll.ready(CHANNEL);
      if (channel & POLLOUT) this.#unstick();
      if (channel & ~POLLOUT) this.#fromServer();
      if (this.#poll.ready(DEVICE)) this.#fromKernel();
    }
  }

  /** Closes both sides (the kernel ends the connection with the last descriptor of its device) and the ring. */
  stop(): void {
    this.#closeDevice();
    this.#closeChannel();
    this.#ring.close();
    this.#tell({ kind: 'stopped', counts: this.#counts() });
  }

  #arm(): void {
    // While a request waits for room towards the server, none is taken from the kernel; replies go on.
    this.#poll.set(DEVICE, this.#stuck.length === 0 ? this.#device : CLOSED, POLLIN);
    this.#poll.set(CHANNEL, this.#channel, this.#stuck.length === 0 ? POLLIN : POLLIN | POLLOUT);
  }

  #fromKernel(): void {
    const at = this.#room(this.#init.maxRequest);
    const length = read(this.#device, this.#address(at), this.#init.maxRequest);
    if (length < 0) return this.#deviceFailed(-length);
    const timeNs = nowNs();
    if (length > SHORT && opcodeOf(this.#view(at, length)) === BATCH_FORGET)
      this.#splitForgets({ at, length, timeNs });
    else this.#forward({ at, length, timeNs });
  }

  /** The kernel filled a buffer that is larger than the one the server reads with. */
  #splitForgets({ at, length, timeNs }: Place): void {
    for (const piece of splitBatchForget(this.#view(at, length), mostForgets(this.#init.maxWrite))) {
      const place = this.#room(piece.length);
      this.#forward({ at: place, length: this.#replace(place, piece), timeNs });
    }
  }

  #forward({ at, length, timeNs }: Place): void {
    this.#requests++;
    this.#bytes += length;
    const edited = this.#init.request(this.#view(at, length));
    const result = this.#toServer(edited ?? this.#address(at), edited?.length ?? length);
    if (isTooLong(-result)) return this.#refuse(at, length);
    // Copied, since the trace writer may take the ring's memory before the server has room.
    if (result === -Errno.EAGAIN) this.#stuck.push((edited ?? this.#view(at, length)).slice());
    this.#commit({ at, length, timeNs }, RecordKind.toServer, 0);
  }

  #toServer(memory: Uint8Array | number, length: number): number {
    if (this.#stuck.length > 0) return -Errno.EAGAIN;
    return this.#channel === CLOSED ? -Errno.EPIPE : write(this.#channel, memory, length);
  }

  /** Answers a request that cannot reach the server; the trace, which shows what the server saw, has it as lost. */
  #refuse(at: number, length: number): void {
    const request = this.#view(at, length);
    const isAwaited = operationOf(opcodeOf(request))?.replyRule !== 'never';
    if (isAwaited) write(this.#device, failure(uniqueOf(request), Errno.EIO), OUT_HEADER_SIZE);
    this.#lose();
  }

  #unstick(): void {
    for (let first = this.#stuck[0]; first !== undefined; first = this.#stuck[0]) {
      if (write(this.#channel, first, first.length) === -Errno.EAGAIN) return;
      this.#stuck.shift();
    }
  }

  #fromServer(): void {
    if (this.#pieces !== undefined && this.#pieces.have > 0) return this.#nextPiece(this.#pieces);
    const at = this.#room(this.#init.maxReply);
    const length = read(this.#channel, this.#address(at), this.#init.maxReply);
    if (length === 0) this.#serverGone();
    else if (length >= LEAST_PIECE && this.#isCut(this.#view(at, length))) this.#cutNs = nowNs();
    else if (length > 0) this.#sendReply(at, length);
  }

  #isCut(packet: Uint8Array): boolean {
    const longest = this.#init.maxReply;
    if (this.#pieces?.buffer.length !== 2 * longest)
      this.#pieces = new Reassembler(new Uint8Array(2 * longest), longest);
    return this.#pieces.take(packet) === undefined;
  }

  /** Reads behind the pieces of a message; what comes may be a whole message of another thread of the server. */
  #nextPiece(pieces: Reassembler): void {
    const { have, buffer } = pieces;
    const length = read(this.#channel, buffer.subarray(have), buffer.length - have);
    if (length === 0) this.#serverGone();
    else if (length > 0) this.#pass(pieces.take(buffer.subarray(have, have + length)));
  }

  #giveUpLate(): void {
    const isLate = this.#isCutOpen && nowNs() - this.#cutNs > BigInt(1_000_000 * PIECES_TIMEOUT_MS);
    if (isLate) this.#pass(this.#pieces?.giveUp());
  }

  get #isCutOpen(): boolean {
    return this.#pieces !== undefined && this.#pieces.have > 0;
  }

  #pass(message: Uint8Array | undefined): void {
    if (message === undefined) return;
    const at = this.#room(message.length);
    this.#sendReply(at, this.#replace(at, message));
  }

  #sendReply(at: number, length: number): void {
    const timeNs = nowNs();
    this.#bytes += length;
    const edited = this.#init.reply(this.#view(at, length));
    const sent = edited === undefined ? length : this.#replace(at, edited);
    const result = this.#device === CLOSED ? -Errno.ENODEV : this.#toKernel(at, sent);
    if (result < 0) this.#refused.set(-result, (this.#refused.get(-result) ?? 0) + 1);
    this.#commit({ at, length: sent, timeNs }, RecordKind.toKernel, result < 0 ? -result : 0);
    const exchange = this.#init.takeExchange();
    if (exchange !== undefined) this.#tell({ kind: 'init', exchange, timeNs });
  }

  #toKernel(at: number, length: number): number {
    const view = this.#view(at, length);
    if (length >= OUT_HEADER_SIZE && isNotification(view)) {
      this.#notifications++;
      return this.#notifier?.write(view) ?? -Errno.ENODEV;
    }
    this.#replies++;
    return write(this.#device, this.#address(at), length);
  }

  #replace(at: number, bytes: Uint8Array): number {
    this.#memory(at).set(bytes, this.#offset(at));
    return bytes.length;
  }

  #deviceFailed(errno: number): void {
    // EINTR, EAGAIN: nothing there after all. ENOENT: the request was interrupted before it could be read.
    if (errno === Errno.EINTR || errno === Errno.EAGAIN || errno === Errno.ENOENT) return;
    this.#closeDevice();
    // What a server on the device itself would see as ENODEV.
    if (this.#channel !== CLOSED) shutdown(this.#channel, 1);
    this.#tell({ kind: 'unmounted' });
  }

  #serverGone(): void {
    this.#stuck = [];
    this.#pieces = undefined;
    this.#closeChannel();
    this.#closeDevice();
    this.#tell({ kind: 'serverGone' });
  }

  #closeDevice(): void {
    this.#notifier?.close();
    if (this.#device !== CLOSED) close(this.#device);
    this.#device = CLOSED;
  }

  #closeChannel(): void {
    if (this.#channel !== CLOSED) close(this.#channel);
    this.#channel = CLOSED;
  }

  // Where a frame goes: its offset in the ring or, when the ring is full and may not be waited for, SCRATCH.

  #room(length: number): number {
    const at = this.#ring.reserve(length, !this.#options.drop);
    if (at >= 0 && this.#droppedInRow > 0) return this.#markDropped(length);
    return at < 0 ? SCRATCH : at;
  }

  /** Tells the trace how many frames were lost here, then makes room again. */
  #markDropped(length: number): number {
    const count = this.#droppedInRow;
    this.#droppedInRow = 0;
    const at = this.#ring.reserve(8, false);
    new DataView(this.#ring.bytes.buffer).setBigUint64(at, BigInt(count), true);
    this.#ring.commit(8, { kind: RecordKind.dropped, timeNs: nowNs(), refused: 0 });
    return this.#room(length);
  }

  #commit({ at, length, timeNs }: Place, kind: RecordKind, refused: number): void {
    if (at !== SCRATCH) return this.#ring.commit(length, { kind, timeNs, refused });
    this.#lose();
  }

  #lose(): void {
    this.#dropped++;
    this.#droppedInRow++;
  }

  #address(at: number): number {
    return at === SCRATCH ? this.#scratchBase : this.#base + at;
  }

  #memory(at: number): Uint8Array {
    return at === SCRATCH ? this.#scratch : this.#ring.bytes;
  }

  #offset(at: number): number {
    return at === SCRATCH ? 0 : at;
  }

  #view(at: number, length: number): Uint8Array {
    const offset = this.#offset(at);
    return this.#memory(at).subarray(offset, offset + length);
  }

  #counts(): RelayCounts {
    const refused = Object.fromEntries([...this.#refused].map(([errno, count]) => [errnoName(errno), count]));
    return {
      requests: this.#requests,
      replies: this.#replies,
      notifications: this.#notifications,
      bytes: this.#bytes,
      refused,
      dropped: this.#dropped,
    };
  }
}
