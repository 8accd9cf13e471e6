/** Where in a plan the server is restarted: the text of `--restart-at` and the steps that it means. */

import { RelightError } from '../base/error.js';
import { operations } from '../protocol/operations.js';

/**
 * When, seen from the request at the point: before it is sent; in flight, when the server has carried it out and nobody has
 * read the reply; after its reply.
 */
export const restartMoments = ['before', 'inflight', 'after'] as const;
/** See `restartMoments`. */
export type RestartMoment = (typeof restartMoments)[number];

/** A restart point as it was typed. */
export type RestartPoint = { readonly moment: RestartMoment; readonly text: string } & (
  | { readonly kind: 'end' }
  /** Sequence number of a recorded frame; the first request from there on. */
  | { readonly kind: 'frame'; readonly seq: number }
  /** The n-th request of an operation, from 1. */
  | { readonly kind: 'operation'; readonly name: string; readonly nth: number }
  | { readonly kind: 'every'; readonly requests: number }
  /** Nanoseconds since the first request. */
  | { readonly kind: 'time'; readonly timeNs: number }
  /** The first request that a filter matches. */
  | { readonly kind: 'filter'; readonly filter: string }
);

/** What a point is looked for in. */
export interface Place {
  readonly index: number;
  readonly seq: number;
  readonly timeNs: number;
  readonly name: string | undefined;
}

/** A restart: after the steps before `index`, at the given moment of step `index`. */
export interface Restart {
  readonly index: number;
  readonly moment: RestartMoment;
}

const isMoment = (text: string | undefined): text is RestartMoment =>
  restartMoments.some((moment) => moment === text);

const secondsOf = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  const unit = { ms: 0.001, s: 1, m: 60 }[match?.[2] ?? 's'];
  return match?.[1] === undefined || unit === undefined ? undefined : Number(match[1]) * unit;
};

const parsePlace = (place: string) => {
  if (place === 'end') return { kind: 'end' as const };
  if (/^(frame:)?\d+$/.test(place))
    return { kind: 'frame' as const, seq: Number(place.replace('frame:', '')) };
  const every = /^every:([1-9]\d*)$/.exec(place)?.[1];
  if (every !== undefined) return { kind: 'every' as const, requests: Number(every) };
  const seconds = place.startsWith('time:') ? secondsOf(place.slice('time:'.length)) : undefined;
  if (seconds !== undefined) return { kind: 'time' as const, timeNs: seconds * 1e9 };
  const [, name, nth] = /^([A-Z0-9_]+)#([1-9]\d*)$/.exec(place) ?? [];
  if (name !== undefined && operations.some((operation) => operation.name === name))
    return { kind: 'operation' as const, name, nth: Number(nth) };
  return { kind: 'filter' as const, filter: place };
};

/** Reads a restart point: `PLACE` or `PLACE@MOMENT`. What is no other kind of place is a filter; the caller checks it. */
export const parseRestartPoint = (text: string): RestartPoint => {
  const at = text.lastIndexOf('@');
  const last = at < 0 ? undefined : text.slice(at + 1);
  const moment = isMoment(last) ? last : 'after';
  const place = isMoment(last) ? text.slice(0, at) : text;
  if (place === '')
    throw new RelightError('usage', `not a restart point: '${text}'`, {
      remedy:
        'use end, FRAME, OP#N, every:N, time:SECONDS or a filter, each with @before, @inflight or @after if wanted',
    });
  return { ...parsePlace(place), moment, text };
};

const first = (places: readonly Place[], wanted: (place: Place) => boolean): readonly number[] => {
  const found = places.find(wanted);
  return found === undefined ? [] : [found.index];
};

const indicesOf = (
  point: RestartPoint,
  places: readonly Place[],
  matches: (filter: string, place: Place) => boolean,
): readonly number[] => {
  switch (point.kind) {
    case 'end':
      return [places.length];
    case 'frame':
      return first(places, ({ seq }) => seq >= point.seq);
    case 'operation':
      return first(places.filter(({ name }) => name === point.name).slice(point.nth - 1), () => true);
    case 'every':
      return places
        .filter(({ index }) => index > 0 && index % point.requests === 0)
        .map(({ index }) => index);
    case 'time':
      return first(places, ({ timeNs }) => timeNs >= point.timeNs);
    case 'filter':
      return first(places, (place) => matches(point.filter, place));
    default:
      return point satisfies never;
  }
};

/** The restarts that the points mean, in the order of the plan. Throws `usage` for a point that no step fits. */
export const restartsOf = (
  points: readonly RestartPoint[],
  places: readonly Place[],
  matches: (filter: string, place: Place) => boolean,
): Restart[] => {
  const restarts = points.flatMap((point) => {
    const indices = indicesOf(point, places, matches);
    if (indices.length === 0)
      throw new RelightError('usage', `no request of the trace fits restart point ${point.text}`, {
        remedy: 'look at the requests with relight show',
      });
    return indices.map((index) => ({
      index,
      moment: point.kind === 'end' ? ('before' as const) : point.moment,
    }));
  });
  return restarts.sort((a, b) => a.index - b.index);
};
