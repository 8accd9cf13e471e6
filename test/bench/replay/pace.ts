/** How well `--pace recorded` keeps to the recorded times: a recorded session whose requests are spread over a minute. */

import { lift, type Recording } from '#relight/plan/lift.js';
import type { Frame } from '#relight/trace/frame.js';
import { table } from '../bench.js';
import { plain, replayed } from './rates.js';
import { inFolder, measuredServers, recordSession } from './servers.js';

const lengthSeconds = 60;
const requestCount = 20_000;
const ANSWER_NS = 50_000n;
/** Gaps of all sizes, the same ones each time: every other request comes this share of the gap early. */
const EARLY = 0.9;

const sentAt = (nth: number): bigint => {
  const gap = (lengthSeconds * 1e9) / requestCount;
  const early = nth % 2 === 1 ? gap * EARLY * (((nth * 37) % 101) / 101) : 0;
  return BigInt(Math.round(nth * gap - early));
};

/** The first requests of a recording and their replies, at other times. */
const retimed = ({ frames, ...facts }: Recording): Recording => ({
  ...facts,
  *frames(): Iterable<Frame> {
    let sent = 0;
    let now = 0n;
    for (const frame of frames()) {
      if (frame.direction === 'toServer') now = sentAt(sent++);
      else now += ANSWER_NS;
      if (sent > requestCount) return;
      yield { ...frame, timeNs: now };
    }
  },
});

/** Markdown: how long the replay took and how far from its times each request was sent. */
export const paceSection = (only = 'squashfuse_ll'): Promise<string> =>
  inFolder(async (folder) => {
    const server = (await measuredServers(folder)).find(({ name }) => name === only);
    if (server === undefined) throw new Error(`there is no server ${only}`);
    const { trace } = await recordSession(server, folder);
    const { header, incarnations } = trace;
    const plan = lift(retimed({ header, incarnations, frames: () => trace.frames() }));
    const wantedMs = (plan.steps.at(plan.steps.length - 1)?.timeNs ?? 0) / 1e6;
    const rows: string[][] = [];
    for (const depth of [1, 64]) {
      console.error(
        `pace, depth ${depth}: ${plan.steps.length} requests in ${(wantedMs / 1000).toFixed(1)} s`,
      );
      const { elapsedMs, paceError } = await replayed(plan, plain(server, { depth, pace: 1 }));
      const { medianUs = Number.NaN, p99Us = Number.NaN, maxUs = Number.NaN } = paceError ?? {};
      rows.push([
        String(depth),
        (wantedMs / 1000).toFixed(2),
        (elapsedMs / 1000).toFixed(2),
        ...[medianUs, p99Us, maxUs].map((us) => us.toFixed(0)),
      ]);
    }
    return [
      '## Pace',
      `${requestCount} requests of a session on ${only} with uneven gaps over ${lengthSeconds} s, replayed with \`--pace recorded\`.`,
      table(['depth', 'recorded s', 'replayed s', 'median error µs', '99 % µs', 'most µs'], rows),
    ].join('\n\n');
  });
