/** What `relight stats` says about a trace: figures per operation, and what kind of numbers its ids are. */

import { errnoName } from '../base/errno.js';
import { IdObserver, type IdReport } from '../oracle/id-observer.js';
import { type DecodedFrame, decodedFrames } from '../trace/decoded-frames.js';
import type { SentRequest } from '../trace/exchange.js';
import { tracedIds } from '../trace/id-events.js';
import type { Trace } from '../trace/reader.js';
import { type OpFigures, TraceFigures } from '../trace/stats.js';

/** JSON of one operation; latencies in nanoseconds, 0 when nothing was answered. */
export interface OpStats {
  readonly count: number;
  readonly errors: number;
  readonly byError: Readonly<Record<string, number>>;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  readonly toServerBytes: number;
  readonly toKernelBytes: number;
}

/** The document that `relight stats --json` prints. */
export interface StatsJson {
  readonly frames: number;
  readonly requests: number;
  readonly replies: number;
  readonly notifications: number;
  /** Frames that no layout fits. */
  readonly undecoded: number;
  /** Requests that were never answered. */
  readonly inFlight: number;
  /** Frames that the recorder lost, and bytes of the file that cannot be read. */
  readonly dropped: number;
  readonly damagedBytes: number;
  readonly bytes: number;
  /** From the first to the last frame. */
  readonly durationNs: number;
  readonly incarnations: number;
  readonly perOp: Readonly<Record<string, OpStats>>;
  readonly ids: IdReport;
}

const opStats = (figures: OpFigures): OpStats => {
  const { count, errors, latency, toServerBytes, toKernelBytes } = figures;
  return {
    count,
    errors,
    byError: Object.fromEntries([...figures.byError].map(([error, times]) => [errnoName(error), times])),
    p50Ns: latency.at(0.5),
    p90Ns: latency.at(0.9),
    p99Ns: latency.at(0.99),
    maxNs: latency.max,
    toServerBytes,
    toKernelBytes,
  };
};

/** Most frequent operations first. */
const perOp = (figures: TraceFigures): Record<string, OpStats> =>
  Object.fromEntries(
    [...figures.perOp].sort(([, a], [, b]) => b.count - a.count).map(([op, one]) => [op, opStats(one)]),
  );

/** Whether the kernel waits for a reply to it. */
const isOwed = ({ op }: SentRequest): boolean => (op?.replyRule ?? 'always') === 'always';

/** Requests that wait after a frame, as a change: a resend is the same request, one of an earlier part was never counted. */
const waitingChange = ({ kind, request }: DecodedFrame): number => {
  if (request?.frame === undefined || !isOwed(request)) return 0;
  if (kind === 'request') return request.resends === 0 ? 1 : 0;
  return kind === 'reply' ? -1 : 0;
};

/** Reads all frames of a trace once and sums them up. Frames for which `wanted` is false are left out. */
export const statsOf = (trace: Trace, wanted: (frame: DecodedFrame) => boolean = () => true): StatsJson => {
  const figures = new TraceFigures();
  const ids = new IdObserver();
  let inFlight = 0;
  for (const decoded of decodedFrames(trace)) {
    if (!wanted(decoded)) continue;
    figures.add(decoded);
    inFlight += waitingChange(decoded);
    for (const id of tracedIds(decoded)) ids.add(id);
  }
  const { firstTimeNs = 0n, lastTimeNs = 0n } = figures;
  return {
    frames: figures.frames,
    requests: figures.requests,
    replies: figures.replies,
    notifications: figures.notifications,
    undecoded: figures.undecoded,
    inFlight,
    dropped: trace.dropped,
    damagedBytes: trace.damage.reduce((sum, { bytes }) => sum + bytes, 0),
    bytes: figures.bytes,
    durationNs: Number(lastTimeNs - firstTimeNs),
    incarnations: trace.incarnations.length,
    perOp: perOp(figures),
    ids: ids.report((incarnation) => trace.maps(incarnation).flatMap(({ ranges }) => ranges)),
  };
};
