/**
 * Frames on their way from the relay's thread to the trace writer's: one producer, one consumer, bounded shared memory.
 * The device is read straight into the ring and written on from there, so a frame is never copied for the sake of the trace.
 */

/** What a record holds. */
export const RecordKind = { padding: 0, toServer: 1, toKernel: 2, dropped: 3 } as const;
/** See `RecordKind`. */
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** Memory that both threads share. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  /** A power of two of bytes. */
  readonly data: SharedArrayBuffer;
}

// Control words. Positions count units of 8 bytes since the start, modulo 2^32.
const HEAD = 0;
const TAIL = 1;
const CLOSED = 2;
const PRODUCER_WAITS = 3;
const CONTROL_WORDS = 4;

// Record: u32 units, u32 frame length, u8 kind, i32 errno at 12, u64 time at 16, frame at 24, padded to 8.
const UNITS_AT = 0;
const LENGTH_AT = 4;
const KIND_AT = 8;
const ERRNO_AT = 12;
const TIME_AT = 16;
const HEADER = 24;

const units = (bytes: number): number => (bytes + 7) >>> 3;

/** Shared memory for a ring; bytes is a power of two, at most 1 GiB. */
export const ringMemory = (bytes: number): RingMemory => ({
  control: new SharedArrayBuffer(4 * CONTROL_WORDS),
  data: new SharedArrayBuffer(bytes),
});

/** What is written beside a frame. */
export interface RecordMeta {
  readonly kind: RecordKind;
  readonly timeNs: bigint;
  /** Errno with which the kernel refused the frame; 0 when it took it. */
  readonly refused: number;
}

/** The relay's end. */
export class RingProducer {
  /** The ring's memory, to read frames into and to write them from. */
  readonly bytes: Uint8Array;
  readonly #control: Int32Array;
  readonly #view: DataView;
  readonly #size: number;
  #at = 0;

  constructor(memory: RingMemory) {
    this.bytes = new Uint8Array(memory.data);
    this.#control = new Int32Array(memory.control);
    this.#view = new DataView(memory.data);
    this.#size = memory.data.byteLength;
  }

  /**
   * Makes room for a frame of at most `length` bytes and returns where in `bytes` it goes; -1 when the ring is full and
   * `wait` is false. Nothing is taken until `commit`.
   */
  reserve(length: number, wait: boolean): number {
    const need = units(HEADER + length);
    const position = (Atomics.load(this.#control, HEAD) >>> 0) % (this.#size >>> 3);
    const toEnd = (this.#size >>> 3) - position;
    const skip = toEnd < need ? toEnd : 0;
    if (!this.#hasRoom(skip + need, wait)) return -1;
    if (skip > 0) this.#pad(position, skip);
    this.#at = skip > 0 ? 0 : 8 * position;
    return this.#at + HEADER;
  }

  /** Hands the reserved frame, `length` bytes of it, to the consumer. */
  commit(length: number, meta: RecordMeta): void {
    const size = units(HEADER + length);
    const view = this.#view;
    view.setUint32(this.#at + UNITS_AT, size, true);
    view.setUint32(this.#at + LENGTH_AT, length, true);
    view.setUint8(this.#at + KIND_AT, meta.kind);
    view.setInt32(this.#at + ERRNO_AT, meta.refused, true);
    view.setBigUint64(this.#at + TIME_AT, meta.timeNs, true);
    Atomics.add(this.#control, HEAD, size);
  }

  /** No more records will come. */
  close(): void {
    Atomics.store(this.#control, CLOSED, 1);
    Atomics.notify(this.#control, HEAD);
  }

  #pad(position: number, size: number): void {
    this.#view.setUint32(8 * position + UNITS_AT, size, true);
    this.#view.setUint8(8 * position + KIND_AT, RecordKind.padding);
    Atomics.add(this.#control, HEAD, size);
  }

  #hasRoom(need: number, wait: boolean): boolean {
    for (;;) {
      const tail = Atomics.load(this.#control, TAIL);
      const used = (Atomics.load(this.#control, HEAD) - tail) >>> 0;
      if ((this.#size >>> 3) - used >= need) return true;
      if (!wait) return false;
      Atomics.store(this.#control, PRODUCER_WAITS, 1);
      Atomics.wait(this.#control, TAIL, tail, 100);
      Atomics.store(this.#control, PRODUCER_WAITS, 0);
    }
  }
}

/** A record as the consumer sees it; `bytes` is valid until `release`. */
export interface RingRecord extends RecordMeta {
  readonly bytes: Uint8Array;
}

/** The trace writer's end. */
export class RingConsumer {
  readonly #bytes: Uint8Array;
  readonly #control: Int32Array;
  readonly #view: DataView;
  readonly #units: number;

  constructor(memory: RingMemory) {
    this.#bytes = new Uint8Array(memory.data);
    this.#control = new Int32Array(memory.control);
    this.#view = new DataView(memory.data);
    this.#units = memory.data.byteLength >>> 3;
  }

  /** The oldest record; `undefined` when there is none now. */
  peek(): RingRecord | undefined {
    for (;;) {
      const tail = Atomics.load(this.#control, TAIL);
      if (tail === Atomics.load(this.#control, HEAD)) return undefined;
      const at = 8 * ((tail >>> 0) % this.#units);
      const kind = this.#view.getUint8(at + KIND_AT) as RecordKind;
      if (kind !== RecordKind.padding) return this.#record(at, kind);
      this.#advance(at);
    }
  }

  /** Gives the memory of the oldest record back. */
  release(): void {
    this.#advance(8 * ((Atomics.load(this.#control, TAIL) >>> 0) % this.#units));
  }

  /** Share of the ring that is waiting to be taken, 0 to 1. */
  pressure(): number {
    return ((Atomics.load(this.#control, HEAD) - Atomics.load(this.#control, TAIL)) >>> 0) / this.#units;
  }

  /** True when the producer is done and everything was taken. */
  ended(): boolean {
    return (
      Atomics.load(this.#control, CLOSED) === 1 &&
      Atomics.load(this.#control, HEAD) === Atomics.load(this.#control, TAIL)
    );
  }

  /** Sleeps; the producer wakes us only when it closes, since a wake-up for each frame would cost more than the frame. */
  sleep(timeoutMs: number): void {
    if (Atomics.load(this.#control, CLOSED) === 0)
      Atomics.wait(this.#control, HEAD, Atomics.load(this.#control, HEAD), timeoutMs);
  }

  #record(at: number, kind: RecordKind): RingRecord {
    const start = at + HEADER;
    return {
      kind,
      timeNs: this.#view.getBigUint64(at + TIME_AT, true),
      refused: this.#view.getInt32(at + ERRNO_AT, true),
      bytes: this.#bytes.subarray(start, start + this.#view.getUint32(at + LENGTH_AT, true)),
    };
  }

  #advance(at: number): void {
    Atomics.add(this.#control, TAIL, this.#view.getUint32(at + UNITS_AT, true));
    if (Atomics.load(this.#control, PRODUCER_WAITS) === 1) Atomics.notify(this.#control, TAIL);
  }
}
