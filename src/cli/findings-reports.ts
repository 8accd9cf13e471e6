/** What verbs that find something have in common: reports for other programs, and findings that are accepted. */

import { readFileSync } from 'node:fs';
import { RelightError } from '../base/error.js';
import { findingPath } from '../fuzz/finding-file.js';
import type { Filing } from '../report/campaign.js';
import { type FindingsReport, junitLines } from '../report/junit.js';
import { sarifLog } from '../report/sarif.js';
import { relightVersion } from '../trace/surroundings.js';
import { Output } from './output.js';
import type { Given } from './verb.js';

/** The options. */
export const reportOptions = {
  baseline: {
    type: 'string',
    describe: 'file with ids of accepted findings, one a line',
    requiresArg: true,
  },
  sarif: { type: 'string', describe: 'write a SARIF 2.1.0 log here as well', requiresArg: true },
  junit: { type: 'string', describe: 'write a JUnit XML report here as well', requiresArg: true },
} as const;

type Options = Given<typeof reportOptions>['options'];

const acceptedIn = (path: string | undefined): ReadonlySet<string> => {
  if (path === undefined) return new Set();
  try {
    const ids = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim());
    return new Set(ids.filter((id) => id !== ''));
  } catch (cause) {
    throw new RelightError('usage', `cannot read the baseline ${path}`, {
      remedy: 'a line for each accepted finding: its id, and a comment after #',
      cause,
    });
  }
};

/** Where the findings of a folder are, and which are accepted. Throws `usage` for a baseline that cannot be read. */
export const filingIn = (folder: string, { baseline }: Pick<Options, 'baseline'>): Filing => ({
  pathOf: (finding) => findingPath(folder, finding),
  accepted: acceptedIn(baseline),
});

const writeLines = (path: string | undefined, lines: () => readonly string[]): void => {
  if (path === undefined) return;
  const output = new Output(path);
  for (const line of lines()) output.line(line);
  output.close();
};

/** Writes the reports that were asked for, about findings that are not accepted. */
export const writeReports = (
  { sarif, junit }: Pick<Options, 'sarif' | 'junit'>,
  report: FindingsReport,
  { pathOf }: Filing,
): void => {
  const { findings } = report;
  writeLines(sarif, () => [
    JSON.stringify(sarifLog(findings, { version: relightVersion, pathOf }), undefined, 1),
  ]);
  writeLines(junit, () => junitLines(report));
};
