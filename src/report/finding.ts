/** A finding in words that fit a bug report: what was done, what the server did, why it matters, how to see it again. */

import type { Environment } from '../fuzz/environment.js';
import type { Finding } from '../fuzz/finding.js';
import type { Verdict } from '../oracle/verdict.js';
import type { Plan } from '../plan/plan.js';
import { writePlan } from '../plan/text/write.js';
import type { Paint } from './paint.js';
import { commandText, plain } from './plain.js';
import { wrapped } from './wrap.js';

/** Why each unsafe verdict matters to those who use the file system. */
const consequences: Partial<Readonly<Record<Verdict, string>>> = {
  crash:
    'The server trusts a number that it did not hand out as an address or an index. What lies there decides what happens: a crash is the lucky case, and whoever can choose the number can choose what is read or written.',
  abort:
    'One request with a number from before the restart ends the server for everybody who uses the mount, and the kernel will send it again after the next restart.',
  hang: 'The request is never answered: the process that made it cannot be killed until the connection is aborted, and if the server holds a lock all others wait as well.',
  malformed:
    'The kernel refuses the reply: the application sees an error that the server never meant, and the server may believe that it succeeded.',
  'wrong-object':
    'An application that opened one file before the restart reads or changes another one after it, and nobody gets an error.',
  poison:
    'The request itself does no visible harm, but afterwards ids that this server handed out to others are broken.',
  lost: 'The application was told that its change is there, and it is nowhere.',
  leak: "The reply holds bytes that belong to no file: pieces of the server's memory reach whoever asked.",
  twice:
    'The kernel sends requests again that it has no answer for; here the second sending takes effect although the first one did.',
};

const HOSTILE =
  'No correct kernel sends this request after a restart: it takes a faulty one, or somebody who can write to the device.';

const RELOOKUPS: Readonly<Record<Environment['relookup'], string>> = {
  none: 'nothing was looked up in it first',
  same: 'the same names were looked up in it first, in the same order',
  shuffled: 'the same names were looked up in it first, in another order',
  'shuffled+open': 'the same names were looked up and opened in it first, in another order',
};

const CHANGES: Readonly<Record<NonNullable<Environment['whileDown']>, string>> = {
  'add-first': 'a file whose name sorts first was added to its store',
  delete: 'the first file of its store was deleted',
  replace: 'the first file of its store was replaced by another one',
  rename: 'the first file of its store was renamed',
};

const environmentText = (environment: Environment): string[] => {
  const { aslr, mallocPerturb, relookup, whileDown, minor, withoutFlags } = environment;
  return [
    ...(aslr === 'off' ? ['without address randomisation'] : []),
    ...(mallocPerturb === undefined ? [] : [`with MALLOC_PERTURB_=${mallocPerturb}`]),
    ...(minor === undefined ? [] : [`with INIT offering minor ${minor}`]),
    ...(withoutFlags === 0n ? [] : [`with INIT flags 0x${withoutFlags.toString(16)} not offered`]),
    ...(whileDown === undefined ? [] : [`after ${CHANGES[whileDown]}`]),
    RELOOKUPS[relookup],
  ];
};

/** References by the paths of what they stand for, as in `%n3 (/a/b)`. */
const withPaths = (line: string, plan: Plan): string =>
  line.replace(/%[nh](\d+)/g, (reference, id: string) => {
    const path = plan.symbols.at(Number(id))?.path;
    return path === undefined || path === '' ? reference : `${reference} (${path})`;
  });

/** The requests of a plan in the words of its text, by incarnation. */
const requestsOf = (plan: Plan): { readonly incarnation: number; readonly text: string }[] => {
  const lines = [...writePlan(plan)].filter((line) => /^\d/.test(line));
  return [...plan.steps].map(({ incarnation }, index) => {
    const [request = ''] = (lines[index] ?? '').split(' => ');
    const bare = request.replace(/^\d+ /, '').replace(/ \[[^[\]]*\]$/, '');
    return { incarnation, text: plain(withPaths(bare, plan)) };
  });
};

/** Requests of one incarnation beyond this many are only counted. */
const SHOWN = 24;

const done = ({ plan, environment, command }: Finding): string[] => {
  const requests = requestsOf(plan);
  const lives = [...new Set(requests.map(({ incarnation }) => incarnation))].sort((a, b) => a - b);
  return lives.flatMap((life, index) => {
    const own = requests.filter(({ incarnation }) => incarnation === life);
    const start =
      index === 0
        ? `${commandText(command.argv)} was started and sent:`
        : `It was killed by SIGKILL and started again (${environmentText(environment).join('; ')}), and sent:`;
    const hidden = own.length > SHOWN ? [`    … ${own.length - SHOWN} more …`] : [];
    const head = own.slice(0, own.length > SHOWN ? SHOWN / 2 : SHOWN);
    const tail = own.length > SHOWN ? own.slice(-SHOWN / 2) : [];
    const line = ({ text }: { readonly text: string }): string[] => wrapped(`    ${text}`, '      ');
    return [...wrapped(`  ${start}`, '  '), ...head.flatMap(line), ...hidden, ...tail.flatMap(line)];
  });
};

/** `SETATTR, stale node`: what a finding is about. */
export const subjectText = ({ op, idKind, relation }: Pick<Finding, 'op' | 'idKind' | 'relation'>): string =>
  idKind === 'none'
    ? op
    : `${op} with ${relation === 'stale' ? 'a stale' : `a wrong (${relation})`} ${idKind}`;

/** One line: verdict, what it is about, how often it showed. */
export const findingLine = (finding: Finding, paint: Paint): string => {
  const { verdict, reliability, id, isHostile } = finding;
  const { k, n } = reliability;
  const how = isHostile ? `${k} of ${n}, hostile, ${id}` : `${k} of ${n}, ${id}`;
  return `${paint.red(verdict.padEnd(12))}  ${plain(subjectText(finding))}  ${paint.dim(how)}`;
};

/** The report of one finding. `path` is its file, as one would type it. */
export const findingLines = (finding: Finding, path: string, paint: Paint): string[] => {
  const { verdict, reliability, signature, evidence, versions, seed, mutator, snapshot, isHostile } = finding;
  const heading = (text: string): string[] => ['', paint.bold(text)];
  return [
    `${paint.red(verdict)}: ${plain(subjectText(finding))}`,
    `seen in ${reliability.k} of ${reliability.n} runs on fresh servers`,
    ...heading('What was done'),
    ...done(finding),
    ...heading('What the server did'),
    ...evidence.flatMap((line) => wrapped(`  ${plain(line)}`, '    ')),
    ...heading('Why it matters'),
    ...wrapped(`  ${consequences[verdict] ?? 'The verdict is not an unsafe one.'}`, '  '),
    ...(isHostile ? wrapped(`  ${HOSTILE}`, '  ') : []),
    ...heading('To see it again'),
    `  relight repro ${plain(path)} --recorded`,
    ...(snapshot.length === 0 ? [] : [`  on disposable copies of ${commandText(snapshot)}`]),
    '',
    ...wrapped(paint.dim(`signature: ${plain(signature)}`), '  '),
    paint.dim(
      `relight ${versions.relight}, Linux ${versions.kernel} ${versions.arch}, ${mutator}, seed ${seed}`,
    ),
  ];
};
