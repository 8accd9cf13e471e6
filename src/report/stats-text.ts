/** `relight stats` for people: totals, a table of the operations, and the ids with their evidence. */

import type { IdClass } from '../oracle/id-kind.js';
import type { Paint } from './paint.js';
import type { OpStats, StatsJson } from './stats.js';
import { tableLines } from './table.js';
import { bytesText, countedText, countText, durationText } from './units.js';
import { wrapped } from './wrap.js';

const head = ['OPERATION', 'COUNT', 'ERRORS', 'P50', 'P90', 'P99', 'MAX', 'BYTES'];

const rowOf = (op: string, stats: OpStats): string[] => {
  const answered = stats.maxNs > 0;
  const times = [stats.p50Ns, stats.p90Ns, stats.p99Ns, stats.maxNs];
  return [
    op,
    countText(stats.count),
    stats.errors === 0 ? '' : countText(stats.errors),
    ...times.map((ns) => (answered ? durationText(ns) : '')),
    bytesText(stats.toServerBytes + stats.toKernelBytes),
  ];
};

const errorLines = (stats: StatsJson): string[] => {
  const rows = Object.entries(stats.perOp).filter(([, { errors }]) => errors > 0);
  const texts = rows.map(([op, { byError }]) => {
    const each = Object.entries(byError).map(([name, count]) => `${countText(count)} ${name}`);
    return `${op} ${each.join(', ')}`;
  });
  return texts.length === 0 ? [] : ['', ...wrapped(`errors: ${texts.join('; ')}`, '  ')];
};

const idLines = (what: string, { count, kind, pointers, evidence }: IdClass, paint: Paint): string[] => {
  const isPointer = pointers > 0 || kind === 'pointer';
  const title = `${what}: ${isPointer ? paint.red(kind) : paint.bold(kind)}, ${countText(count)} seen`;
  const found = pointers > 0 ? [`  ${countText(pointers)} of them point into the server's memory`] : [];
  return [title, ...found, ...evidence.flatMap((line) => wrapped(`  ${line}`, '    '))];
};

const handleLines = ({ ids }: StatsJson, paint: Paint): string[] => {
  const groups = [
    ['file handles', ids.files],
    ['directory handles', ids.directories],
  ] as const;
  return groups.flatMap(([what, ids]) => (ids.count === 0 ? [] : idLines(what, ids, paint)));
};

const totals = (stats: StatsJson): string[] => {
  const losses = [
    ...(stats.dropped > 0 ? [`${countedText(stats.dropped, 'frame')} dropped`] : []),
    ...(stats.damagedBytes > 0 ? [`${bytesText(stats.damagedBytes)} damaged`] : []),
    ...(stats.undecoded > 0 ? [`${countedText(stats.undecoded, 'frame')} undecoded`] : []),
    ...(stats.inFlight > 0 ? [`${countedText(stats.inFlight, 'request')} without a reply`] : []),
  ];
  const notes = stats.notifications > 0 ? `, ${countedText(stats.notifications, 'notification')}` : '';
  return [
    `${countedText(stats.frames, 'frame')} in ${durationText(stats.durationNs)}: ${countedText(stats.requests, 'request')}, ${countedText(stats.replies, 'reply')}${notes}, ${bytesText(stats.bytes)}`,
    ...(losses.length === 0 ? [] : [losses.join(', ')]),
  ];
};

/** The lines of a report. */
export const statsLines = (stats: StatsJson, paint: Paint): string[] => {
  const rows = Object.entries(stats.perOp).map(([op, one]) => rowOf(op, one));
  const [headLine = '', ...body] = rows.length === 0 ? ['no operations'] : tableLines({ head, rows });
  return [
    ...totals(stats),
    '',
    paint.bold(headLine),
    ...body,
    ...errorLines(stats),
    '',
    ...idLines('nodeids', stats.ids.nodeids, paint),
    ...handleLines(stats, paint),
  ];
};
