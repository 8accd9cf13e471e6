/** Writes what crosses the channel of a tour to a trace, with what a recorder would say beside it. */

import { nowNs } from '../../base/clock.js';
import { isNotification, opcodeOf, uniqueOf } from '../../protocol/header.js';
import { operationNamed } from '../../protocol/operations.js';
import { endFacts, mountFacts } from '../../trace/facts.js';
import type { Direction } from '../../trace/frame.js';
import { PointerWatch } from '../../trace/pointer-watch.js';
import type { TraceWriter, WriterStatus } from '../../trace/writer.js';
import type { MountRequest } from '../../transport/mount.js';
import { mapsOf } from '../../transport/proc.js';
import type { RunningServer } from '../../transport/running-server.js';
import type { ProcessExit } from '../../transport/subreaper.js';
import type { Tap } from '../driver.js';

/** What a killed tour loses at most. */
const FLUSH_NS = 1_000_000_000n;
const PROGRESS_NS = 200_000_000n;
const INIT = operationNamed('INIT').opcode;

/** Messages that crossed, both ways. */
export interface TourTraffic {
  readonly requests: number;
  readonly replies: number;
  readonly bytes: number;
}

/** A tap that writes a trace of one incarnation. */
export class TourTrace implements Tap {
  readonly #writer: TraceWriter;
  readonly #aslr: 'on' | 'off';
  readonly #onProgress: (status: WriterStatus) => void;
  readonly #watch = new PointerWatch();
  readonly #traffic = { requests: 0, replies: 0, bytes: 0 };
  #server: RunningServer | undefined;
  /** INIT until it is answered. */
  #offered: Uint8Array | undefined;
  #isConnected = false;
  #flushedNs = nowNs();
  #toldNs = nowNs();

  constructor(
    writer: TraceWriter,
    {
      aslr,
      onProgress,
    }: { readonly aslr: 'on' | 'off'; readonly onProgress?: (status: WriterStatus) => void },
  ) {
    this.#writer = writer;
    this.#aslr = aslr;
    this.#onProgress = onProgress ?? (() => undefined);
  }

  /** What crossed until now. */
  get traffic(): TourTraffic {
    return this.#traffic;
  }

  /** Whether INIT was answered. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  onStart(server: RunningServer): void {
    this.#server = server;
    this.#writer.startIncarnation({ incarnation: 0, timeNs: nowNs(), pid: server.pid, aslr: this.#aslr });
  }

  onFrame(direction: Direction, bytes: Uint8Array): void {
    const timeNs = nowNs();
    this.#writer.append(direction, timeNs, bytes);
    this.#count(direction, bytes);
    if (direction === 'toServer' && opcodeOf(bytes) === INIT) this.#offered = bytes.slice();
    else if (this.#offered !== undefined) this.#settle(this.#offered, bytes);
    if (this.#watch.see(direction === 'toServer', bytes, timeNs)) this.lookAtMemory();
    this.#tidy(timeNs);
  }

  /** The server asked for its mount. */
  onMounted(request: MountRequest): void {
    this.#writer.mount(mountFacts(request));
  }

  /** Writes down the server's memory map, if there is one. */
  lookAtMemory(): void {
    this.#server?.look();
    const ranges = this.#server === undefined ? [] : mapsOf(this.#server.servingPid);
    this.#watch.explain(ranges);
    if (ranges.length > 0) this.#writer.maps({ incarnation: 0, timeNs: nowNs(), ranges });
  }

  /** The server ended. */
  end(exit: ProcessExit, stderr: readonly string[]): void {
    this.#server = undefined;
    this.#writer.endIncarnation(endFacts(0, exit, stderr));
  }

  /** Completes the file. A second call does nothing. */
  close(): WriterStatus {
    return this.#writer.close();
  }

  #count(direction: Direction, bytes: Uint8Array): void {
    this.#traffic.bytes += bytes.length;
    if (direction === 'toServer') this.#traffic.requests++;
    else if (!isNotification(bytes)) this.#traffic.replies++;
  }

  #settle(offered: Uint8Array, bytes: Uint8Array): void {
    if (uniqueOf(bytes) !== uniqueOf(offered)) return;
    this.#offered = undefined;
    this.#isConnected = true;
    const reply = bytes.slice();
    // Nothing stands between the virtual kernel and the server.
    const handshake = { offered, sent: offered, reply, written: reply, changes: [] };
    this.#writer.init({ incarnation: 0, timeNs: nowNs(), ...handshake });
    this.lookAtMemory();
  }

  #tidy(timeNs: bigint): void {
    if (timeNs - this.#flushedNs >= FLUSH_NS) {
      this.#flushedNs = timeNs;
      this.#writer.flush();
    }
    if (timeNs - this.#toldNs < PROGRESS_NS) return;
    this.#toldNs = timeNs;
    this.#onProgress(this.#writer.status());
  }
}
