/** What a machine can do, as rows for people and as JSON. */

import type { Paint } from './paint.js';
import { plain } from './plain.js';
import { wrapped } from './wrap.js';

/** One thing that was looked at. */
export interface Check {
  /** Short name, such as `seccomp`. */
  readonly name: string;
  /** `limited`: something goes without it, or goes worse. */
  readonly state: 'ok' | 'limited' | 'missing';
  /** What is there. */
  readonly found: string;
  /** What that costs; absent when nothing. */
  readonly costs?: string;
  /** How to mend it; absent when there is nothing to mend. */
  readonly mend?: string;
}

/** All that was found. */
export interface Examination {
  /** Whether anything can be recorded here. */
  readonly canRecord: boolean;
  /** Whether servers can be run behind a virtual kernel. */
  readonly canReplay: boolean;
  /** Newest FUSE minor that the kernel offers; absent when it could not be learnt. */
  readonly minor?: number;
  /** INIT flags that the kernel offers. */
  readonly features: readonly string[];
  readonly checks: readonly Check[];
}

const marks = { ok: '✓', limited: '!', missing: '✗' } as const;
const brushes = { ok: 'green', limited: 'yellow', missing: 'red' } as const;
const NAME_WIDTH = 16;
const INDENT = ' '.repeat(NAME_WIDTH + 4);

const aligned = (label: string, text: string): string[] => wrapped(`${label}${plain(text)}`, INDENT);

const checkLines = ({ name, state, found, costs, mend }: Check, paint: Paint): string[] => {
  const [first = '', ...rest] = aligned(`  ${name.padEnd(NAME_WIDTH)}  `, found);
  return [
    `${paint[brushes[state]](marks[state])}${first.slice(1)}`,
    ...rest,
    ...(costs === undefined ? [] : aligned(`${INDENT}costs: `, costs)),
    ...(mend === undefined ? [] : aligned(`${INDENT}mend:  `, mend)),
  ];
};

const verdict = ({ canRecord, canReplay }: Examination): string => {
  if (canRecord && canReplay) return 'This machine can record, replay and fuzz.';
  if (canRecord) return 'This machine can record servers that take {fd}; other servers cannot be run here.';
  if (canReplay) return 'This machine cannot record; it can replay and fuzz, which needs no mount.';
  return 'This machine can only read traces.';
};

/** The rows and a verdict. */
export const doctorLines = (examination: Examination, paint: Paint): string[] => [
  ...examination.checks.flatMap((check) => checkLines(check, paint)),
  '',
  paint.bold(verdict(examination)),
];
