/** Figures over decoded frames: how often each operation came, how it failed, how long it took, how many bytes it moved. Pure. */

import type { DecodedFrame } from './decoded-frames.js';
import { Quantiles } from './quantiles.js';

/** Figures of one operation. */
export interface OpFigures {
  /** Requests, or notifications. */
  count: number;
  /** Replies with an error, and those by errno. */
  errors: number;
  readonly byError: Map<number, number>;
  /** Bytes on the wire, to the server and to the kernel. */
  toServerBytes: number;
  toKernelBytes: number;
  /** Nanoseconds from request to reply. */
  readonly latency: Quantiles;
}

/** Op under which replies to requests that nobody saw are counted. */
export const UNKNOWN_OP = 'UNKNOWN';

/** Counts frames as they pass. */
export class TraceFigures {
  frames = 0;
  requests = 0;
  replies = 0;
  notifications = 0;
  /** Frames that no layout fits. */
  undecoded = 0;
  bytes = 0;
  firstTimeNs: bigint | undefined;
  lastTimeNs: bigint | undefined;
  readonly perOp = new Map<string, OpFigures>();

  /** Takes a frame in. */
  add(decoded: DecodedFrame): void {
    const { frame, kind, message } = decoded;
    this.frames++;
    this.bytes += frame.length;
    if (kind === 'request') this.requests++;
    if (kind === 'reply') this.replies++;
    if (kind === 'notification') this.notifications++;
    if (message.kind === 'decodeError') this.undecoded++;
    this.firstTimeNs ??= frame.timeNs;
    this.lastTimeNs = frame.timeNs;
    this.#addToOp(decoded, this.#figuresOf(decoded.op ?? UNKNOWN_OP));
  }

  #figuresOf(op: string): OpFigures {
    let figures = this.perOp.get(op);
    if (figures === undefined) {
      figures = {
        count: 0,
        errors: 0,
        byError: new Map(),
        toServerBytes: 0,
        toKernelBytes: 0,
        latency: new Quantiles(),
      };
      this.perOp.set(op, figures);
    }
    return figures;
  }

  #addToOp({ frame, kind, error, latencyNs }: DecodedFrame, figures: OpFigures): void {
    if (kind !== 'reply') figures.count++;
    if (frame.direction === 'toServer') figures.toServerBytes += frame.length;
    else figures.toKernelBytes += frame.length;
    if (latencyNs !== undefined) figures.latency.add(Number(latencyNs));
    if (error === undefined || error === 0) return;
    figures.errors++;
    figures.byError.set(error, (figures.byError.get(error) ?? 0) + 1);
  }
}
