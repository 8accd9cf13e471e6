/** Findings as JUnit XML, which build servers show: a test case for each operation that was tried, a failure for each finding. */

import type { Finding } from '../fuzz/finding.js';
import { subjectText } from './finding.js';

// What XML 1.0 cannot hold, even escaped.
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

const escaped = (text: string): string =>
  text.replace(FORBIDDEN, '\u{fffd}').replace(/[&<>"\n]/g, (character) => entities[character] ?? character);

/** What a report of findings is about. */
export interface FindingsReport {
  /** Name of the run, such as the server's command. */
  readonly name: string;
  readonly findings: readonly Finding[];
  /** Operations that were tried. */
  readonly ops: readonly string[];
  readonly elapsedMs: number;
}

const failure = (finding: Finding): string => {
  const { verdict, evidence, reliability } = finding;
  const head = `${verdict}: ${subjectText(finding)} (${reliability.k} of ${reliability.n})`;
  return `      <failure type="${escaped(verdict)}" message="${escaped(head)}">${escaped(evidence.join('\n'))}</failure>`;
};

const testCase = (op: string, { findings }: FindingsReport): string[] => {
  const own = findings.filter((finding) => finding.op === op);
  const head = `    <testcase classname="relight.fuzz" name="${escaped(op)}"`;
  return own.length === 0 ? [`${head}/>`] : [`${head}>`, ...own.map(failure), '    </testcase>'];
};

/** The document as lines. */
export const junitLines = (report: FindingsReport): string[] => {
  const ops = [...new Set([...report.ops, ...report.findings.map(({ op }) => op)])].sort();
  const failing = ops.filter((op) => report.findings.some((finding) => finding.op === op));
  const counts = `tests="${ops.length}" failures="${failing.length}" errors="0"`;
  const seconds = (report.elapsedMs / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="relight" ${counts} time="${seconds}">`,
    `  <testsuite name="${escaped(report.name)}" ${counts} skipped="0" time="${seconds}">`,
    ...ops.flatMap((op) => testCase(op, report)),
    '  </testsuite>',
    '</testsuites>',
  ];
};
