/** What a trace says about its recording: who, where, how, and how it ended. */

import { constants } from 'node:os';
import { decodeRequest } from '../protocol/decode.js';
import { newestNegotiated } from '../protocol/negotiated.js';
import type { Incarnation, Trace } from '../trace/reader.js';
import { negotiatedBy } from '../trace/session.js';
import { exitText } from './exit-text.js';
import { commandText, plain } from './plain.js';
import { countedText } from './units.js';
import { wrapped } from './wrap.js';

const signalName = (number: number): string =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;

const endText = ({ end }: Incarnation): string => {
  if (end === undefined) return 'end not recorded';
  const signal = end.signal === undefined ? undefined : signalName(end.signal);
  return exitText({ code: end.exitCode, signal });
};

const offeredMinor = (offered: Uint8Array): number | undefined => {
  const request = decodeRequest(offered, newestNegotiated);
  return request.kind === 'request' && request.name === 'INIT' ? request.fields.minor : undefined;
};

const protocolText = ({ init }: Incarnation): string => {
  const settled = init && negotiatedBy(init.offered, init.written);
  if (init === undefined || settled === undefined) return 'no handshake';
  return `FUSE 7.${settled.minor} (the kernel offered 7.${offeredMinor(init.offered) ?? '?'})`;
};

const incarnationLine = (incarnation: Incarnation): string => {
  const { start } = incarnation;
  const aslr = start?.aslr === 'off' ? ', no address randomisation' : '';
  const inFlight = incarnation.end?.inFlight.length ?? 0;
  const waiting = inFlight > 0 ? `, ${countedText(inFlight, 'request')} unanswered` : '';
  return `incarnation ${incarnation.incarnation}: pid ${start?.pid ?? '?'}${aslr}, ${protocolText(incarnation)}, ${endText(incarnation)}${waiting}`;
};

/** When something was, in UTC to the second. */
const dateText = (ns: bigint): string => {
  const date = new Date(Number(ns / 1_000_000n));
  return Number.isNaN(date.getTime())
    ? 'at an unknown time'
    : date.toISOString().replace('T', ' ').slice(0, 19);
};

/** A few lines for the head of a report. */
export const traceHeadLines = ({ path, header, mounts, incarnations, parts }: Trace): string[] => {
  const point = mounts.at(-1)?.point;
  return [
    `${path}: ${commandText(header.argv)}`,
    `  recorded ${dateText(header.startTimeNs)} UTC, Linux ${plain(header.kernelRelease)} ${plain(header.arch)}, relight ${plain(header.relightVersion)}`,
    ...(parts.length > 1 ? [`  in ${parts.length} files`] : []),
    ...(point === undefined ? [] : [`  mounted on ${plain(point)}`]),
    ...(header.filter === '' ? [] : [`  only what matches ${plain(header.filter)}`]),
    ...(header.redacted ? ['  names and contents are redacted'] : []),
    ...incarnations.flatMap((incarnation) => wrapped(`  ${incarnationLine(incarnation)}`, '    ')),
  ];
};
