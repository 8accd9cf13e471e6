/** Writes a trace again with something changed: numbers, times and order stay, and what was lost stays lost. */

import type { EndFacts, MapsFacts, MountFacts, TraceContext } from './context.js';
import { type DecodedFrame, decodedFrames } from './decoded-frames.js';
import type { Incarnation, Trace } from './reader.js';
import { createTrace, type TraceWriter, type WriterOptions, type WriterStatus } from './writer.js';

/** What to write in place of what was read. Whatever is not named stays. */
export interface Changes {
  readonly context?: (context: TraceContext) => TraceContext;
  readonly mount?: (mount: MountFacts) => MountFacts;
  readonly maps?: (maps: MapsFacts) => MapsFacts;
  readonly end?: (end: EndFacts) => EndFacts;
  /** Bytes of the same length. */
  readonly frame?: (frame: DecodedFrame) => Uint8Array;
  readonly digest?: (digest: Uint8Array) => Uint8Array;
}

const same = <T>(value: T): T => value;

/** Writes what a trace says about an incarnation before its first frame. */
const begin = (writer: TraceWriter, trace: Trace, one: Incarnation | undefined, changes: Changes): void => {
  if (one === undefined) return;
  if (one.start !== undefined) writer.startIncarnation(one.start);
  if (one.init !== undefined) writer.init(one.init);
  for (const maps of trace.maps(one.incarnation)) writer.maps((changes.maps ?? same)(maps));
};

const finish = (writer: TraceWriter, one: Incarnation | undefined, changes: Changes): void => {
  if (one?.end !== undefined) writer.endIncarnation((changes.end ?? same)(one.end));
};

const appendFrame = (writer: TraceWriter, decoded: DecodedFrame, changes: Changes): void => {
  const { frame } = decoded;
  const bytes = changes.frame?.(decoded) ?? frame.bytes;
  const digest = frame.digest && (changes.digest ?? same)(frame.digest);
  const cut = { wireLength: frame.length, ...(digest === undefined ? {} : { digest }) };
  const isCut = frame.length > frame.bytes.length;
  writer.append(frame.direction, frame.timeNs, bytes, isCut ? cut : undefined);
};

const copyFrames = (writer: TraceWriter, trace: Trace, changes: Changes): void => {
  const incarnations = new Map(trace.incarnations.map((one) => [one.incarnation, one]));
  let current: number | undefined;
  let next = trace.header.firstSeq;
  const enter = (incarnation: number): void => {
    if (current !== undefined) finish(writer, incarnations.get(current), changes);
    current = incarnation;
    begin(writer, trace, incarnations.get(incarnation), changes);
  };
  for (const { incarnation } of trace.incarnations.slice(0, 1)) enter(incarnation);
  for (const decoded of decodedFrames(trace)) {
    const { seq, incarnation } = decoded.frame;
    if (incarnation !== current) enter(incarnation);
    writer.dropped(seq - next);
    appendFrame(writer, decoded, changes);
    next = seq + 1;
  }
  if (current !== undefined) finish(writer, incarnations.get(current), changes);
};

/**
 * Writes a trace to `path` with changes, and gives how far that came. Throws a RelightError when the file cannot be created;
 * a disk that fills up shows in the status.
 */
export const rewriteTrace = (
  trace: Trace,
  path: string,
  { changes, ...options }: { readonly changes: Changes } & Pick<WriterOptions, 'codec'>,
): WriterStatus => {
  const { traceId, part, firstSeq, waiting, formatVersion: _, ...context } = trace.header;
  const writer = createTrace(path, {
    ...options,
    // Payload was cut when it was recorded; it is not cut again.
    context: (changes.context ?? same)(context),
    isPayloadCut: true,
    traceId,
    start: { part, firstSeq, waiting },
  });
  for (const mount of trace.mounts) writer.mount((changes.mount ?? same)(mount));
  copyFrames(writer, trace, changes);
  return writer.close();
};
