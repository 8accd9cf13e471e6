/**
 * How well campaigns find the bugs that are planted in our specimens, and whether they stay silent about the twins without
 * them. `npm run bench -- detection [--seeds N] [--seconds N] [BUG...]`.
 */

import { parseArgs } from 'node:util';
import { plantedBugs } from '#relight/specimen/planted/planted.js';
import type { PlantedBug } from '#relight/specimen/planted/planted-bug.js';
import { type Bench, median, table } from './bench.js';
import { type Hunt, huntFor } from './detection/hunt.js';

const DEFAULT_SEEDS = '10';
const DEFAULT_SECONDS = '60';

interface Orders {
  readonly bugs: readonly PlantedBug[];
  readonly seeds: number;
  readonly seconds: number;
}

const natural = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} wants a number above 0`);
  return value;
};

const ordersFrom = (args: readonly string[]): Orders => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: DEFAULT_SEEDS },
      seconds: { type: 'string', default: DEFAULT_SECONDS },
    },
  });
  const unknown = positionals.filter((name) => plantedBugs.every((bug) => bug.name !== name));
  if (unknown.length > 0) throw new Error(`there is no planted bug ${unknown.join(', ')}`);
  return {
    bugs: plantedBugs.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    seeds: natural('--seeds', values.seeds),
    seconds: natural('--seconds', values.seconds),
  };
};

const head = ['bug', 'found', 'as', 'median cases', 'median s', 'slowest s', 'twin: findings', 'twin: cases'];

const isDetected = ({ detections, campaigns }: Hunt): boolean => detections.length === campaigns;

const figure = (values: readonly number[], digits: number): string =>
  values.length === 0 ? '–' : median(values).toFixed(digits);

const rowOf = ({ bug, campaigns, detections, twin }: Hunt): string[] => {
  const seconds = detections.map((one) => one.seconds);
  return [
    bug.name,
    `${detections.length} of ${campaigns}`,
    [...new Set(detections.map(({ judgement }) => judgement.verdict))].join(', ') || '–',
    figure(
      detections.map(({ cases }) => cases),
      0,
    ),
    figure(seconds, 1),
    seconds.length === 0 ? '–' : Math.max(...seconds).toFixed(1),
    twin.findings.map(({ signature }) => signature).join('; ') || 'none',
    String(twin.status.cases),
  ];
};

const summary = (hunts: readonly Hunt[], minutes: number): string => {
  const detections = hunts.flatMap((hunt) => hunt.detections);
  const campaigns = hunts.reduce((sum, hunt) => sum + hunt.campaigns, 0);
  const alarms = hunts.filter(({ twin }) => twin.findings.length > 0);
  return [
    `- detected / planted: ${hunts.filter(isDetected).length} / ${hunts.length}, each by every seed; ` +
      `${detections.length} of ${campaigns} campaigns`,
    `- false alarms / twins: ${alarms.length} / ${hunts.length}`,
    `- median to detection: ${figure(
      detections.map(({ cases }) => cases),
      0,
    )} cases, ` +
      `${figure(
        detections.map(({ seconds }) => seconds),
        1,
      )} s`,
    `- it took ${minutes.toFixed(1)} minutes`,
  ].join('\n');
};

const told = (hunt: Hunt): string => {
  const [name, found, as, cases, seconds, , twin] = rowOf(hunt);
  const others = hunt.others.length === 0 ? '' : `, otherwise ${hunt.others.join('; ')}`;
  return `${name}: ${found}, ${as}, ${cases} cases, ${seconds} s${others}; twin: ${twin}`;
};

const run = async (args: readonly string[]): Promise<string> => {
  const { bugs, seeds, seconds } = ordersFrom(args);
  const began = performance.now();
  const hunts: Hunt[] = [];
  for (const bug of bugs) {
    const hunt = await huntFor(bug, { seeds, seconds });
    console.error(told(hunt));
    hunts.push(hunt);
  }
  return [
    summary(hunts, (performance.now() - began) / 60_000),
    `A campaign for each of ${seeds} seeds, from its start to a confirmed verdict, one that the bug's manifest ` +
      `allows, or for ${seconds} s. A twin is the same server with that bug fixed: one campaign, as long as the slowest on its bug; ` +
      'every finding on it is a false alarm.',
    table(head, hunts.map(rowOf)),
    '',
  ].join('\n\n');
};

/** The benchmark. */
export const bench: Bench = { title: 'How well planted bugs are found', run };
