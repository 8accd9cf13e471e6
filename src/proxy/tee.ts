/** Takes frames out of the ring and gives them to the trace writer, on the writer's own thread. */

import { nowNs } from '../base/clock.js';
import { PointerWatch } from '../trace/pointer-watch.js';
import type { TraceWriter, WriterStatus } from '../trace/writer.js';
import { RecordKind, type RingConsumer, type RingRecord } from './ring.js';
import type { FromTee, ToTee } from './tee-messages.js';

/** What a killed recorder loses at most, besides a block that was being filled faster. */
const FLUSH_NS = 1_000_000_000n;
const PROGRESS_NS = 500_000_000n;
/** Records between two looks at the session's messages. */
const BATCH = 4096;
/** Sleeps double while nothing comes: short ones keep the ring empty, long ones cost nothing on an idle mount. */
const SHORTEST_SLEEP_MS = 1;
const LONGEST_SLEEP_MS = 50;

/** The writer's loop, one turn at a time. */
export class Tee {
  readonly #ring: RingConsumer;
  readonly #writer: TraceWriter;
  readonly #tell: (message: FromTee) => void;
  readonly #watch = new PointerWatch();
  #flushedNs = nowNs();
  #toldNs = nowNs();
  #failed = false;
  #closing = false;
  #sleepMs = SHORTEST_SLEEP_MS;

  constructor(ring: RingConsumer, writer: TraceWriter, tell: (message: FromTee) => void) {
    this.#ring = ring;
    this.#writer = writer;
    this.#tell = tell;
  }

  /** Obeys the session. */
  hear(message: ToTee): void {
    switch (message.kind) {
      case 'start':
        return this.#writer.startIncarnation(message.facts);
      case 'mount':
        return this.#writer.mount(message.facts);
      case 'init':
        return this.#writer.init(message.facts);
      case 'maps':
        this.#watch.explain(message.facts.ranges);
        return this.#writer.maps(message.facts);
      case 'end':
        return this.#finishIncarnation(message);
      case 'close':
        this.#closing = true;
        return;
      default:
        return message satisfies never;
    }
  }

  /** Takes what is there, or sleeps; false when everything was taken and the trace is closed. */
  turn(): boolean {
    if (this.#takeBatch() > 0) this.#sleepMs = SHORTEST_SLEEP_MS;
    else if (this.#closing && this.#ring.ended()) return this.#close();
    else this.#rest();
    this.#tidy();
    return true;
  }

  #takeBatch(): number {
    let taken = 0;
    for (; taken < BATCH; taken++) {
      const record = this.#ring.peek();
      if (record === undefined) break;
      this.#write(record);
      this.#ring.release();
    }
    return taken;
  }

  #write(record: RingRecord): void {
    if (record.kind === RecordKind.dropped) {
      const view = new DataView(record.bytes.buffer, record.bytes.byteOffset);
      this.#writer.dropped(Number(view.getBigUint64(0, true)));
      return;
    }
    const toServer = record.kind === RecordKind.toServer;
    this.#writer.append(toServer ? 'toServer' : 'toKernel', record.timeNs, record.bytes);
    if (this.#watch.see(toServer, record.bytes, record.timeNs)) this.#tell({ kind: 'wantMaps' });
  }

  /** What the ring holds still belongs to the incarnation that ended. */
  #finishIncarnation(message: Extract<ToTee, { kind: 'end' }>): void {
    while (this.#takeBatch() > 0);
    this.#writer.endIncarnation(message.facts);
  }

  #rest(): void {
    this.#ring.sleep(this.#sleepMs);
    this.#sleepMs = Math.min(2 * this.#sleepMs, LONGEST_SLEEP_MS);
  }

  #tidy(): void {
    const now = nowNs();
    if (now - this.#flushedNs >= FLUSH_NS) {
      this.#writer.flush();
      this.#flushedNs = now;
    }
    if (now - this.#toldNs >= PROGRESS_NS) this.#progress(now);
  }

  #progress(now: bigint): void {
    this.#toldNs = now;
    const status = this.#writer.status();
    this.#tell({ kind: 'progress', status });
    if (status.failure === undefined || this.#failed) return;
    this.#failed = true;
    this.#tell({ kind: 'failed', why: status.failure });
  }

  #close(): false {
    const status: WriterStatus = this.#writer.close();
    if (status.failure !== undefined && !this.#failed) this.#tell({ kind: 'failed', why: status.failure });
    this.#tell({ kind: 'closed', status });
    return false;
  }
}
