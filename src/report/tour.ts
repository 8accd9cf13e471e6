/** What a tour was, for people and for programs. */

import { errnoName } from '../base/errno.js';
import type { TourResult, Written } from '../replay/tour/options.js';
import type { Cut } from '../replay/tour/state.js';
import { type ExitJson, exitJson, exitText } from './exit-text.js';
import { bytesText, countedText, countText } from './units.js';
import { wrapped } from './wrap.js';

/** `relight tour --json`. */
export interface TourJson {
  readonly trace: string;
  readonly frames: number;
  readonly requests: number;
  readonly replies: number;
  /** Of all messages. */
  readonly bytes: number;
  readonly dropped: number;
  readonly incarnations: number;
  /** Null for a server that was handed its channel. */
  readonly mount: { readonly point: string; readonly options: string } | null;
  readonly exits: readonly (ExitJson & { readonly incarnation: number })[];
  readonly ending: string;
  readonly seed: number;
  readonly minor: number;
  /** Nodes that the kernel knows at the end. */
  readonly nodes: number;
  /** What is open at the end. */
  readonly held: { readonly files: number; readonly directories: number };
  readonly counts: TourResult['counts'];
  /** Limits that cut something off. */
  readonly cut: readonly string[];
  /** Null when nothing was to be changed. */
  readonly written: {
    readonly directory: string | null;
    readonly removed: boolean;
    readonly error: string | null;
  } | null;
  /** Errors of the server by operation. */
  readonly errors: TourResult['errors'];
  /** Replies that the kernel would not take. */
  readonly refused: readonly {
    readonly op: string | null;
    readonly reason: string;
    readonly where: string;
  }[];
  /** The operation without an answer; null when all were answered. */
  readonly underWay: string | null;
  readonly elapsedMs: number;
  /** Bytes of the trace. */
  readonly traceBytes: number;
  /** Why the trace is not complete; null when it is. */
  readonly failure: string | null;
}

/** The document of one tour. */
export const tourJson = (trace: string, result: TourResult): TourJson => ({
  trace,
  frames: result.status.frames,
  requests: result.traffic.requests,
  replies: result.traffic.replies,
  bytes: result.traffic.bytes,
  dropped: result.status.lost,
  incarnations: 1,
  mount: result.mount === undefined ? null : mountJson(result.mount),
  exits: result.exit === undefined ? [] : [{ incarnation: 0, ...exitJson(result.exit) }],
  ending: result.ending,
  seed: result.seed,
  minor: result.negotiated.minor,
  nodes: result.nodes,
  held: result.held,
  counts: result.counts,
  cut: result.cut,
  written: writtenJson(result.written),
  errors: result.errors,
  refused: result.refused.map(({ op, refusal }) => ({
    op: op ?? null,
    reason: refusal.reason,
    where: refusal.where,
  })),
  underWay: result.underWay ?? null,
  elapsedMs: result.elapsedMs,
  traceBytes: result.status.fileBytes,
  failure: result.status.failure ?? null,
});

const mountJson = ({ target, data }: NonNullable<TourResult['mount']>): TourJson['mount'] => ({
  point: target,
  options: data.replace(/(^|,)fd=\d+/, '').replace(/^,/, ''),
});

const writtenJson = (written: Written): TourJson['written'] => {
  if (written.kind === 'none') return null;
  if (written.kind === 'refused') return { directory: null, removed: false, error: errnoName(written.errno) };
  const { directory } = written;
  if (written.kind === 'kept') return { directory, removed: false, error: null };
  const { errno } = written;
  return { directory, removed: errno === 0, error: errno === 0 ? null : errnoName(errno) };
};

const limits: Readonly<Record<Cut, string>> = {
  entries: 'more entries than --limit',
  depth: 'deeper directories',
  bytes: 'more contents than are read',
};

/** The same in a few lines. `server` is the name of its program. */
export const tourLines = (trace: string, server: string, result: TourResult): string[] => {
  const { status, traffic, counts, held, cut, exit } = result;
  return [
    `${endingText(server, result)}: ${countedText(status.frames, 'frame')} in ${trace}, ${bytesText(status.fileBytes)}`,
    `  ${countedText(traffic.requests, 'request')}, ${countText(traffic.replies)} replies in ${Math.round(result.elapsedMs)} ms`,
    `  saw ${seenText(counts)}; read ${bytesText(counts.bytesRead)}`,
    `  open at the end: ${countedText(held.files, 'file')}, ${directoriesText(held.directories)}; ${countedText(result.nodes, 'node')} known`,
    ...(cut.length === 0 ? [] : [`  there are ${cut.map((limit) => limits[limit]).join(' and ')}`]),
    ...writtenLines(result.written),
    ...errorLines(result),
    ...refusedLines(result),
    ...(exit === undefined ? [] : [`  ${server} ${exitText(exit)}`]),
    ...(status.failure === undefined ? [] : [`the trace is not complete: ${status.failure}`]),
  ];
};

const endingText = (server: string, { ending, underWay }: TourResult): string => {
  const asked = underWay === undefined ? '' : ` at ${underWay}`;
  const texts = {
    done: 'toured',
    interrupted: 'toured until the interrupt',
    died: `${server} died${asked}`,
    hang: `${server} did not answer${asked}`,
  };
  return texts[ending];
};

const directoriesText = (count: number): string =>
  `${countText(count)} ${count === 1 ? 'directory' : 'directories'}`;

const seenText = ({ directories, files, links, others }: TourResult['counts']): string =>
  [
    directoriesText(directories),
    countedText(files, 'file'),
    countedText(links, 'link'),
    ...(others === 0 ? [] : [`${countText(others)} others`]),
  ].join(', ');

const writtenLines = (written: Written): string[] => {
  if (written.kind === 'none') return [];
  if (written.kind === 'refused') return [`  nothing may be made: ${errnoName(written.errno)}`];
  if (written.kind === 'kept') return [`  changed things in ${written.directory}, which stays`];
  if (written.errno === 0) return [`  changed things in ${written.directory}, and removed it`];
  return [`  changed things in ${written.directory}, which cannot be removed: ${errnoName(written.errno)}`];
};

const errorLines = ({ errors }: TourResult): string[] => {
  const texts = Object.entries(errors).map(([op, counts]) => {
    const each = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    return `${op} ${each.join(', ')}`;
  });
  return texts.length === 0 ? [] : wrapped(`  errors: ${texts.join('; ')}`, '    ');
};

/** Complaints that are shown; a server that is wrong throughout is wrong about everything. */
const REFUSALS_SHOWN = 5;

const refusedLines = ({ refused }: TourResult): string[] => {
  const all = new Set(
    refused.map(({ op, refusal }) => `${op ?? 'a message'}: ${refusal.reason} (${refusal.where})`),
  );
  const shown = [...all].slice(0, REFUSALS_SHOWN).map((text) => `  the kernel would not take ${text}`);
  const more = all.size - shown.length;
  return more > 0 ? [...shown, `  and ${more} more kinds of replies`] : shown;
};
