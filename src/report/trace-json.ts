/** A whole trace as JSON, piece by piece, since it may be larger than memory. */

import type { Trace } from '../trace/reader.js';

/** The value with what JSON does not have put into words: u64 as decimal strings, bytes as base64. */
const jsonOf = (value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonOf(one)]));
};

/** Everything that a trace says besides its frames, as one line of JSON. */
export const contextJson = (trace: Trace): string => {
  const { header, mounts, incarnations, dropped, damage, ending } = trace;
  const maps = incarnations.flatMap(({ incarnation }) => trace.maps(incarnation));
  return JSON.stringify(jsonOf({ header, mounts, incarnations, maps, dropped, damage, ending }));
};
