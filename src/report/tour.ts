/** What a tour saw, for people and for programs. */

import type { TourResult } from '../replay/tour/options.js';
import { exitJson, exitText } from './exit-text.js';
import { bytesText, countedText } from './units.js';
import { wrapped } from './wrap.js';

/** The document of one tour. */
export const tourJson = (trace: string, result: TourResult): object => ({
  trace,
  ending: result.ending,
  minor: result.negotiated.minor,
  frames: result.status.frames,
  requests: result.traffic.requests,
  replies: result.traffic.replies,
  bytes: result.traffic.bytes,
  counts: result.counts,
  cut: result.cut,
  nodes: result.nodes,
  held: result.held,
  written: result.written,
  errors: result.errors,
  refused: result.refused,
  exits: result.exit === undefined ? [] : [{ incarnation: 0, ...exitJson(result.exit) }],
  failure: result.status.failure ?? null,
  seed: result.seed,
});

const endings = {
  done: undefined,
  interrupted: 'interrupted',
  died: 'the server died',
  hang: 'the server fell silent',
} as const;

const errorText = (errors: TourResult['errors']): string[] => {
  const texts = Object.entries(errors).map(([op, byName]) => {
    const each = Object.entries(byName).map(([name, count]) => `${count} ${name}`);
    return `${op} ${each.join(', ')}`;
  });
  return texts.length === 0 ? [] : wrapped(`  errors: ${texts.join('; ')}`, '    ');
};

/** The same in lines. `server` is the name of its program. */
export const tourLines = (trace: string, server: string, result: TourResult): string[] => {
  const { counts, held, nodes, cut, status, traffic, underWay, exit, refused } = result;
  const ended = endings[result.ending];
  return [
    `toured ${countedText(counts.directories, 'directory').replace('directorys', 'directories')}, ${countedText(counts.files, 'file')}, ${countedText(counts.links, 'link')}: ${countedText(traffic.requests, 'request')}`,
    `  ${countedText(nodes, 'node')} known, ${countedText(held.files, 'file')} and ${held.directories} directories open at the end`,
    `  ${countedText(status.frames, 'frame')} in ${trace}: ${bytesText(status.fileBytes)}`,
    ...(cut.length === 0 ? [] : [`  cut off by the limit of ${cut.join(', ')}`]),
    ...errorText(result.errors),
    ...refused
      .slice(0, 3)
      .map(({ op, refusal }) => `  the kernel would refuse a reply to ${op ?? 'nothing'}: ${refusal.reason}`),
    ...(ended === undefined ? [] : [`  ${ended}${underWay === undefined ? '' : ` at ${underWay}`}`]),
    ...(ended === undefined || exit === undefined ? [] : [`  ${server} ${exitText(exit)}`]),
    ...(status.failure === undefined ? [] : [`the trace is not complete: ${status.failure}`]),
  ];
};
