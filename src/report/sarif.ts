/** Findings as a SARIF 2.1.0 log (OASIS), which code hosts and editors show. */

import type { Finding } from '../fuzz/finding.js';
import { isUnsafe, verdictNames, verdicts } from '../oracle/verdict.js';
import { subjectText } from './finding.js';
import { commandText } from './plain.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
/** Of verdicts that change or give away what belongs to others. */
const SEVERE = new Set(['crash', 'wrong-object', 'leak', 'poison', 'lost', 'twice']);

const rules = verdictNames.filter(isUnsafe).map((verdict) => ({
  id: verdict,
  shortDescription: { text: verdicts[verdict].meaning },
  defaultConfiguration: { level: SEVERE.has(verdict) ? ('error' as const) : ('warning' as const) },
}));

const resultOf = (finding: Finding, path: string) => {
  const { verdict, evidence, id, signature, reliability, command } = finding;
  return {
    ruleId: verdict,
    ruleIndex: rules.findIndex((rule) => rule.id === verdict),
    level: SEVERE.has(verdict) ? ('error' as const) : ('warning' as const),
    message: { text: [`${verdict}: ${subjectText(finding)}`, ...evidence].join('\n') },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: encodeURI(path) } },
        logicalLocations: [{ name: finding.op, kind: 'function', fullyQualifiedName: `FUSE_${finding.op}` }],
      },
    ],
    partialFingerprints: { 'relightSignature/v1': id },
    properties: {
      signature,
      reliability,
      command: commandText(command.argv),
      mutator: finding.mutator,
      relation: finding.relation,
    },
  };
};

/** The log of one run; `pathOf` gives each finding's file. */
export const sarifLog = (
  findings: readonly Finding[],
  { version, pathOf }: { readonly version: string; readonly pathOf: (finding: Finding) => string },
) => ({
  $schema: SCHEMA,
  version: '2.1.0' as const,
  runs: [
    {
      tool: { driver: { name: 'relight', version, rules } },
      columnKind: 'utf16CodeUnits' as const,
      results: findings.map((finding) => resultOf(finding, pathOf(finding))),
    },
  ],
});
