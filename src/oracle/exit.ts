/** What the end of a server means: memory misused, a check of its own that failed, or somebody else's doing. */

import { type CrashReport, crashReport, stableText } from './crash-report.js';

/** How a server ended. */
export interface ServerExit {
  /** Exit status; absent when a signal killed it. */
  readonly code: number | undefined;
  /** Name of the signal that killed it, such as `SIGSEGV`. */
  readonly signal: string | undefined;
  /** Last lines of standard error, oldest first. */
  readonly stderr: readonly string[];
  /** Back trace of a debugger, innermost frame first, where there is one. */
  readonly backTrace?: readonly string[];
}

/** What it means. */
export interface ExitMeaning {
  /** `unknown`: ended from outside, or by a limit. */
  readonly verdict: 'crash' | 'abort' | 'unknown';
  /** The same for two ends of one kind, whatever their addresses and numbers. */
  readonly signature: string;
  readonly evidence: readonly string[];
}

const faults: readonly string[] = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE'];
/** Signals that come from outside, or from a limit that relight or the machine set. */
const outside: readonly string[] = [
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSYS',
];
/** A shell adds 128 to the number of the signal that killed its command. */
const ofShell: Readonly<Record<number, string>> = {
  132: 'SIGILL',
  133: 'SIGTRAP',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
};
const LAST_LINES = 5;

const signalOf = ({ code, signal }: ServerExit): string | undefined =>
  signal ?? (code === undefined ? undefined : ofShell[code]);

const verdictOf = (signal: string | undefined, report: CrashReport | undefined): ExitMeaning['verdict'] => {
  if (signal !== undefined && faults.includes(signal)) return 'crash';
  if (report !== undefined) return report.verdict;
  return signal !== undefined && outside.includes(signal) ? 'unknown' : 'abort';
};

const endText = (exit: ServerExit, signal: string | undefined): string => {
  if (exit.signal !== undefined) return `the server was killed by ${exit.signal}`;
  if (exit.code === undefined) return 'the server is gone, how is not known';
  const meant = signal === undefined ? '' : ` (${signal})`;
  return `the server exited with status ${exit.code}${meant}`;
};

const reportText = ({ by, text, frame }: CrashReport): string =>
  `${by}: ${text}${frame === undefined ? '' : ` in ${frame}`}`;

const functionName = /^(?:#\d+\s+)?(?:0x[0-9a-f]+ in )?(?!0x)([A-Za-z_~][\w:~.<>$]*)/;
const libraryName = / from (?:.*\/)?([^/]+)$/;

/** The function of a debugger's frame; where it has no name, its library. */
const placeOf = (frame: string): string | undefined =>
  (functionName.exec(frame) ?? libraryName.exec(frame))?.[1];

/** Classifies the end of a server that nobody asked to end. */
export const exitMeaning = (exit: ServerExit): ExitMeaning => {
  const signal = signalOf(exit);
  const report = crashReport(exit.stderr);
  const lines = report === undefined ? exit.stderr.slice(-LAST_LINES) : [];
  const [innermost] = exit.backTrace ?? [];
  const frame = report?.frame ?? (innermost === undefined ? undefined : placeOf(innermost));
  const how = signal ?? (exit.code === undefined ? 'gone' : `exit ${exit.code}`);
  const what = report === undefined ? [] : [`${report.by} ${stableText(report.text)}`];
  return {
    verdict: verdictOf(signal, report),
    signature: [how, ...what, ...(frame === undefined ? [] : [`in ${frame}`])].join(': '),
    evidence: [
      endText(exit, signal),
      ...(report === undefined ? [] : [reportText(report)]),
      ...lines.map((line) => `stderr: ${line}`),
      ...(exit.backTrace ?? []),
    ],
  };
};
