/** What a recording was, for people and for programs. */

import type { RecordResult } from '../proxy/record.js';
import { type ExitJson, exitJson, exitText } from './exit-text.js';
import { bytesText, countedText } from './units.js';

/** `relight record --json`. */
export interface RecordingJson {
  readonly trace: string;
  /** In the trace. */
  readonly frames: number;
  /** Through the proxy, whatever a filter kept of them. */
  readonly requests: number;
  readonly replies: number;
  /** Of all messages, as on the wire. */
  readonly bytes: number;
  readonly dropped: number;
  readonly incarnations: number;
  readonly mount: { readonly point: string; readonly options: string };
  readonly exits: readonly (ExitJson & { readonly incarnation: number })[];
  readonly ending: string;
  readonly workload: ExitJson | null;
  /** Bytes of the trace, all parts together. */
  readonly traceBytes: number;
  /** Files of a rotated trace. */
  readonly parts: number;
  /** Why the trace is not complete; null when it is. */
  readonly failure: string | null;
  /** Replies that the kernel refused, by errno. */
  readonly refused: Readonly<Record<string, number>>;
  /** What the proxy changed in INIT. */
  readonly changes: readonly string[];
}

const optionsOf = ({ mount }: RecordResult): string =>
  mount.data.replace(/(^|,)fd=\d+/, '').replace(/^,/, '');

/** The document of one recording. */
export const recordingJson = (trace: string, result: RecordResult): RecordingJson => ({
  trace,
  frames: result.status.frames,
  requests: result.counts.requests,
  replies: result.counts.replies,
  bytes: result.counts.bytes,
  dropped: result.status.lost,
  incarnations: 1,
  mount: { point: result.mount.target, options: optionsOf(result) },
  exits: [{ incarnation: 0, ...exitJson(result.exit) }],
  ending: result.ending,
  workload: result.workload === undefined ? null : exitJson(result.workload),
  traceBytes: result.status.fileBytes,
  parts: result.status.parts,
  failure: result.status.failure ?? null,
  refused: result.counts.refused,
  changes: result.init.changes.map(({ text }) => text),
});

const why = {
  unmounted: 'was unmounted',
  serverExit: undefined,
  workload: undefined,
  interrupt: undefined,
} as const;

/** The same in a few lines. `server` is the name of its program. */
export const recordingLines = (trace: string, server: string, result: RecordResult): string[] => {
  const { status, counts, mount, exit, workload, ending } = result;
  const parts = status.parts > 1 ? ` and ${countedText(status.parts - 1, 'further part')}` : '';
  const ended = why[ending];
  return [
    `recorded ${countedText(status.frames, 'frame')} in ${trace}${parts}: ${bytesText(status.fileBytes)}`,
    `  ${countedText(counts.requests, 'request')}, ${countedText(counts.replies, 'reply')}, ${bytesText(counts.bytes)} on the wire`,
    ...(status.lost > 0 ? [`  ${countedText(status.lost, 'frame')} dropped`] : []),
    ...(ended === undefined ? [] : [`  ${mount.target} ${ended}`]),
    ...(workload === undefined ? [] : [`  the workload ${exitText(workload)}`]),
    `  ${server} ${exitText(exit)}`,
    ...(status.failure === undefined ? [] : [`the trace is not complete: ${status.failure}`]),
  ];
};
