/** From the arguments of the process to its exit status: chooses the verb, prints errors on one line. */

import { readFileSync } from 'node:fs';
import yargs from 'yargs';
import { RelightError } from '../base/error.js';
import { nearest } from '../base/spelling.js';
import { ExitStatus, statusOf } from './exit-status.js';
import { OutputClosed, print } from './output.js';
import { verbs } from './verbs.js';

const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
};

const help = async (): Promise<string> => {
  const list = yargs()
    .locale('en')
    .scriptName('relight')
    .usage(
      'relight VERB [options]\n\nRecords FUSE traffic, restarts the server, and shows what its old nodeids and file handles reach.',
    )
    .updateStrings({ 'Commands:': 'Verbs:' })
    .version(false)
    .help(false)
    .epilogue(
      'relight VERB --help explains a verb. Exit status: 0 ok, 1 divergence or finding, 2 usage, 3 this machine or the server cannot do it, 70 a bug.',
    )
    .wrap(Math.min(100, process.stdout.columns ?? 80));
  for (const [name, { summary }] of Object.entries(verbs))
    if (summary !== undefined) list.command(name, summary);
  return list.getHelp();
};

const unknownVerb = (name: string): RelightError => {
  const listed = Object.entries(verbs).flatMap(([verb, { summary }]) =>
    summary === undefined ? [] : [verb],
  );
  const meant = nearest(name, listed);
  return new RelightError('usage', `there is no verb ${JSON.stringify(name)}`, {
    remedy: meant === undefined ? 'relight --help lists the verbs' : `did you mean ${meant}?`,
  });
};

const dispatch = async (args: readonly string[]): Promise<ExitStatus> => {
  const [first, ...rest] = args;
  if (first === undefined) {
    process.stderr.write(`${await help()}\n`);
    return ExitStatus.usage;
  }
  if (first === '--version') {
    print(version());
    return ExitStatus.ok;
  }
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    print(await help());
    return ExitStatus.ok;
  }
  if (first === 'help') return dispatch([...rest.slice(0, 1), '--help']);
  if (first.startsWith('-'))
    throw new RelightError('usage', `${first} stands before the verb`, { remedy: 'relight VERB [options]' });
  const entry = Object.hasOwn(verbs, first) ? verbs[first] : undefined;
  if (entry === undefined) throw unknownVerb(first);
  const { verb } = await entry.load();
  return verb.run(rest);
};

/** One line for people; with RELIGHT_DEBUG the stack as well. */
export const explain = (error: unknown): string => {
  const debug =
    process.env['RELIGHT_DEBUG'] !== undefined && error instanceof Error ? `\n${error.stack}` : '';
  if (error instanceof RelightError) {
    const remedy = error.remedy === undefined || error.remedy === '' ? '' : `; ${error.remedy}`;
    return `relight: ${error.message}${remedy}${debug}`;
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `relight: a bug: ${what.replace(/\s+/g, ' ')}; please report it with what RELIGHT_DEBUG=1 adds${debug}`;
};

/** Runs the program; never throws. */
export const runProgram = async (args: readonly string[]): Promise<ExitStatus> => {
  try {
    return await dispatch(args);
  } catch (error) {
    if (error instanceof OutputClosed) return ExitStatus.ok;
    process.stderr.write(`${explain(error)}\n`);
    return statusOf(error);
  }
};
