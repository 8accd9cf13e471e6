/** A decoded frame on one line: number, time, direction, latency, and what it says. */

import { decodeErrorText, notificationText, replyText, requestText } from '../protocol/print.js';
import type { DecodedFrame } from '../trace/decoded-frames.js';
import type { Paint } from './paint.js';
import { plain } from './plain.js';
import { durationText } from './units.js';

/** How lines are to look. */
export interface LineStyle {
  /** Of the recording's start, which times count from. */
  readonly startTimeNs: bigint;
  /** Characters; longer lines are cut. `undefined` for no limit. */
  readonly width: number | undefined;
  readonly paint: Paint;
}

/** What a frame says, as one line of any length. */
export const bodyText = ({ message }: DecodedFrame): string => {
  switch (message.kind) {
    case 'request':
      return requestText(message);
    case 'reply':
      return replyText(message);
    case 'notification':
      return notificationText(message);
    case 'decodeError':
      return decodeErrorText(message);
    default:
      return message satisfies never;
  }
};

/** Seconds with microseconds. */
const timeText = (ns: bigint): string => {
  const us = ns / 1000n;
  return `${us / 1_000_000n}.${(us % 1_000_000n).toString().padStart(6, '0')}`;
};

const cutTo = (width: number | undefined, text: string): string =>
  width === undefined || text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

const colored = (frame: DecodedFrame, body: string, paint: Paint): string => {
  if (frame.message.kind === 'decodeError') return paint.red(body);
  if (frame.error !== undefined && frame.error !== 0) return paint.yellow(body);
  return frame.kind === 'request' ? body : paint.cyan(body);
};

/** The line of one frame. */
export const frameLine = (decoded: DecodedFrame, { startTimeNs, width, paint }: LineStyle): string => {
  const { frame, latencyNs } = decoded;
  const latency = latencyNs === undefined ? '' : durationText(Number(latencyNs));
  const where = `${String(frame.seq).padStart(6)} ${timeText(frame.timeNs - startTimeNs).padStart(10)}`;
  const how = `${frame.direction === 'toServer' ? '→' : '←'} ${latency.padStart(6)}`;
  const room = width === undefined ? undefined : width - where.length - how.length - 2;
  const body = cutTo(room, plain(bodyText(decoded)));
  return `${paint.dim(where)} ${how} ${colored(decoded, body, paint)}`;
};
