/** What a verb of the command line is: its description, its options and what it does. Each is one file in `verbs/`. */

import type { InferredOptionTypes, Options } from 'yargs';
import yargs from 'yargs';
import { RelightError } from '../base/error.js';
import { ExitStatus } from './exit-status.js';
import { print } from './output.js';
import { usageError } from './usage-error.js';

/** Options by their long names, as yargs takes them. */
export type OptionTable = Readonly<Record<string, Options>>;

/** What a verb was called with. */
export interface Given<O extends OptionTable> {
  readonly options: InferredOptionTypes<O>;
  /** As many as `operands` names, or fewer when those in brackets are left out. */
  readonly operands: readonly string[];
  /** What came after `--`, untouched. */
  readonly command: readonly string[];
}

/** A verb as its file describes it. */
export interface VerbDescription<O extends OptionTable> {
  readonly name: string;
  /** A paragraph for `--help`. */
  readonly about: string;
  /** Names of what stands before the options' end, such as `TRACE`; each must be given unless it is in brackets. */
  readonly operands: readonly string[];
  /** Whether a server's command is expected after `--`. */
  readonly command: 'needed' | 'optional' | 'none';
  readonly options: O;
  /** A command line without `relight`, and what it does. */
  readonly examples: readonly (readonly [line: string, text: string])[];
  readonly run: (given: Given<O>) => Promise<ExitStatus>;
}

/** A verb as the program calls it. */
export interface Verb {
  /** Reads the arguments after the verb's name and does what they say. Throws RelightError. */
  run(args: readonly string[]): Promise<ExitStatus>;
}

const MOST_COLUMNS = 100;
const columns = (): number => Math.min(MOST_COLUMNS, process.stdout.columns ?? 80);

const common = {
  help: { type: 'boolean', alias: 'h', describe: 'show this text', default: false },
} as const satisfies OptionTable;

const namesOf = (options: OptionTable): string[] =>
  Object.entries({ ...common, ...options }).flatMap(([name, { alias }]) => [name, ...[alias ?? []].flat()]);

const commandTexts: Readonly<Record<string, readonly string[]>> = {
  needed: ['-- SERVER…'],
  optional: ['[-- SERVER…]'],
};

const synopsis = ({ name, operands, command }: VerbDescription<OptionTable>): string =>
  ['relight', name, ...operands, '[options]', ...(commandTexts[command] ?? [])].join(' ');

/** Own arguments and, after the first `--`, the server's command. */
const splitCommand = (args: readonly string[]): readonly [readonly string[], readonly string[]] => {
  const at = args.indexOf('--');
  return at < 0 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
};

const checkOperands = (given: readonly string[], verb: VerbDescription<OptionTable>): void => {
  const missing = verb.operands[given.length];
  if (missing !== undefined && !missing.startsWith('['))
    throw new RelightError('usage', `${verb.name} needs ${missing}`, { remedy: `usage: ${synopsis(verb)}` });
  const extra = given[verb.operands.length];
  if (extra === undefined) return;
  const remedy = verb.command !== 'none' ? "put the server's command after --" : `usage: ${synopsis(verb)}`;
  throw new RelightError('usage', `${verb.name} does not understand ${extra}`, { remedy });
};

const checkCommand = (command: readonly string[], verb: VerbDescription<OptionTable>): void => {
  if (verb.command === 'needed' && command.length === 0)
    throw new RelightError('usage', `${verb.name} needs a server's command`, {
      remedy: `put it after --, as in relight ${verb.examples[0]?.[0] ?? verb.name}`,
    });
  if (verb.command === 'none' && command.length > 0)
    throw new RelightError('usage', `${verb.name} takes no command after --`, {
      remedy: `usage: ${synopsis(verb)}`,
    });
};

const fitsOne = (value: unknown, { type, array }: Options): boolean => {
  if (value === undefined) return true;
  if (array === true) return Array.isArray(value);
  return type === undefined || type === 'count' || type === 'array' || typeof value === type;
};

/** Whether yargs kept to the types of the table. */
const fits = <O extends OptionTable>(
  parsed: Readonly<Record<string, unknown>>,
  options: O,
): parsed is InferredOptionTypes<O> =>
  Object.entries(options).every(([name, option]) => fitsOne(parsed[name], option));

/** Makes a verb of its description. */
export const defineVerb = <O extends OptionTable>(verb: VerbDescription<O>): Verb => {
  // The checks read everything but `run`, whose parameter makes the two types differ.
  const described: VerbDescription<OptionTable> = { ...verb, run: async () => ExitStatus.ok };
  const { name, about, examples } = verb;
  const takesCommand = verb.command !== 'none';
  const context = { verb: name, options: namesOf(verb.options), takesCommand };
  const fail = (message: string | null, error: unknown): never => {
    // Some of yargs' complaints come as exceptions of its own.
    const text = message ?? (error instanceof Error && error.name === 'YError' ? error.message : undefined);
    throw text === undefined ? error : usageError(text, context);
  };
  const parserOf = (args: readonly string[]) =>
    yargs(args)
      .locale('en')
      .scriptName('relight')
      .usage(`${synopsis(described)}\n\n${about}`)
      .parserConfiguration({
        'camel-case-expansion': false,
        'dot-notation': false,
        'duplicate-arguments-array': false,
        'greedy-arrays': false,
        'parse-positional-numbers': false,
      })
      .options(common)
      .options(verb.options)
      .example(examples.map(([line, text]): [string, string] => [`relight ${line}`, text]))
      .version(false)
      .help(false)
      .strictOptions()
      .exitProcess(false)
      .wrap(columns())
      .fail(fail);
  return {
    run: async (args) => {
      const [own, command] = splitCommand(args);
      if (own.some((word) => word === '--help' || word === '-h')) {
        print(await parserOf([]).getHelp());
        return ExitStatus.ok;
      }
      const options: Readonly<Record<string, unknown>> = await parserOf(own).parseAsync();
      if (!fits(options, verb.options)) throw new RelightError('usage', `${name}: options make no sense`);
      const operands = [options._].flat().map(String);
      checkOperands(operands, described);
      checkCommand(command, described);
      return verb.run({ options, operands, command });
    },
  };
};
