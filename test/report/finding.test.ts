import { expect, test } from 'vitest';
import { findingLine, findingLines } from '#relight/report/finding.js';
import { findingDocument } from '#relight/report/findings-json.js';
import { junitLines } from '#relight/report/junit.js';
import { sampleFinding } from '../fuzz/sample-finding.js';

const same = (text: string): string => text;
const uncoloured = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };

test('a finding is told in words for a bug report', () =>
  expect(findingLines(sampleFinding, 'out/0123456789abcdef.rlf', uncoloured)).toEqual([
    'wrong-object: SETATTR with a stale node',
    'seen in 5 of 5 runs on fresh servers',
    '',
    'What was done',
    '  bindfs -f /data {mnt} was started and sent:',
    '    LOOKUP 1 name="a"',
    '  It was killed by SIGKILL and started again (without address randomisation; the',
    '  same names were looked up in it first, in another order), and sent:',
    '    LOOKUP 1 name="b"',
    '    SETATTR %n1 (/a) valid=SIZE',
    '',
    'What the server did',
    '  sent SETATTR node 2 valid=SIZE size=0',
    '  changed without being meant: /b: size 12 became 0, contents "hello & <world>"',
    '    became ""',
    '',
    'Why it matters',
    '  An application that opened one file before the restart reads or changes',
    '  another one after it, and nobody gets an error.',
    '',
    'To see it again',
    '  relight repro out/0123456789abcdef.rlf --recorded',
    '  on disposable copies of /data',
    '',
    'signature: wrong-object SETATTR node',
    'relight 0.1.0, Linux 6.18.44 x86_64, nodeid.stale, seed 7',
  ]));

test('a finding in one line', () =>
  expect(findingLine(sampleFinding, uncoloured)).toBe(
    'wrong-object  SETATTR with a stale node  5 of 5, 0123456789abcdef',
  ));

test('a finding as a document tells how to run it again', () =>
  expect(findingDocument(sampleFinding, 'a.rlf')).toMatchObject({
    id: '0123456789abcdef',
    verdict: 'wrong-object',
    op: 'SETATTR',
    idKind: 'node',
    reliability: { k: 5, n: 5 },
    steps: 3,
    repro: 'relight repro a.rlf --recorded',
  }));

test('JUnit has a case for each operation and a failure for each finding, escaped', () =>
  expect(
    junitLines({
      name: 'bindfs "x"',
      findings: [sampleFinding],
      ops: ['READ', 'SETATTR'],
      elapsedMs: 1500,
    }),
  ).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="relight" tests="2" failures="1" errors="0" time="1.500">',
    '  <testsuite name="bindfs &quot;x&quot;" tests="2" failures="1" errors="0" skipped="0" time="1.500">',
    '    <testcase classname="relight.fuzz" name="READ"/>',
    '    <testcase classname="relight.fuzz" name="SETATTR">',
    '      <failure type="wrong-object" message="wrong-object: SETATTR with a stale node (5 of 5)">sent SETATTR node 2 valid=SIZE size=0&#10;changed without being meant: /b: size 12 became 0, contents &quot;hello &amp; &lt;world&gt;&quot; became &quot;&quot;</failure>',
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
  ]));
