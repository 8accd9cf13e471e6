import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Judgement } from '#relight/oracle/verdict.js';
import { plantedBugs } from '#relight/specimen/planted/planted.js';
import { afterTour, type Campaigned, campaignOn, inFolder, specimen } from './fuzz/short-campaign.js';
import { test } from './support/leak-guard.js';

/** Some of the benchmark's bugs, of different verdicts, that any seed finds in its first batches. */
const quick = [
  'node-pointer',
  'node-unknown-abort',
  'name-unterminated',
  'handle-fd-recycled',
  'error-with-body',
  'forget-stale-counts',
];
const quiet = ['node-pointer', 'handle-fd-recycled', 'error-with-body'];
const SECONDS = 60;
const QUIET_CASES = 3000;

const held = (words: readonly string[], how: Pick<Parameters<typeof campaignOn>[1], 'isWanted' | 'limits'>) =>
  afterTour(specimen(...words), (toured) =>
    inFolder(
      (folder): Promise<Campaigned> => campaignOn(toured, { ...how, seed: 1, folder: join(folder, 'found') }),
    ),
  );

describe('planted bugs', () => {
  test.for(quick)('%s is found', { timeout: 120_000 }, async (name) => {
    const bug = plantedBugs.find((one) => one.name === name);
    const isWanted = ({ verdict }: Judgement): boolean =>
      bug?.verdicts.some((known) => known === verdict) === true;
    const { detection } = await held(['--bug', name], { isWanted, limits: { seconds: SECONDS } });
    expect(bug?.verdicts).toContain(detection?.judgement.verdict);
  });
});

describe('twins', () => {
  test.for(quiet)('there is nothing to find in that of %s', { timeout: 120_000 }, async (name) => {
    const { findings, status } = await held(['--bug', name, '--fixed'], { limits: { cases: QUIET_CASES } });
    expect(findings.map(({ signature }) => signature)).toEqual([]);
    expect(status.cases).toBe(QUIET_CASES);
  });
});
