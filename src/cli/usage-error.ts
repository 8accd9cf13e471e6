/** What yargs says about wrong arguments, as one line with a hint. */

import { RelightError } from '../base/error.js';
import { nearest } from '../base/spelling.js';

/** Where the arguments were given. */
export interface UsageContext {
  readonly verb: string;
  /** Long and short names of its options, without dashes. */
  readonly options: readonly string[];
  /** Whether a server's command follows after `--`. */
  readonly takesCommand: boolean;
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

const unknown = (name: string, { verb, options, takesCommand }: UsageContext): RelightError => {
  const meant = nearest(name, options);
  const remedy = [
    ...(meant === undefined ? [] : [`did you mean ${dashed(meant)}?`]),
    ...(meant === undefined && takesCommand ? ["put the server's command and its options after --"] : []),
    ...(meant === undefined && !takesCommand ? [`relight ${verb} --help lists the options`] : []),
  ].join('; ');
  return new RelightError('usage', `${verb} has no option ${dashed(name)}`, { remedy });
};

/** A message of yargs as an error; texts as in its locale `en`. */
export const usageError = (message: string, context: UsageContext): RelightError => {
  const [, unknownName] = /^Unknown arguments?: ([^,]+)/.exec(message) ?? [];
  if (unknownName !== undefined) return unknown(unknownName, context);
  const [, bare] = /^Not enough arguments following: (.+)/.exec(message) ?? [];
  if (bare !== undefined) return new RelightError('usage', `${dashed(bare)} needs a value`);
  const [, missing] = /^Missing required arguments?: ([^,\n]+)/.exec(message) ?? [];
  if (missing !== undefined)
    return new RelightError('usage', `${context.verb} needs ${dashed(missing)}`, {
      remedy: `relight ${context.verb} --help shows an example`,
    });
  const [, name, given, choices] = /Argument: (.+), Given: (.+), Choices: (.+)/.exec(message) ?? [];
  if (name !== undefined)
    return new RelightError('usage', `${dashed(name)} cannot be ${given}`, {
      remedy: `choose one of ${choices?.replaceAll('"', '')}`,
    });
  return new RelightError('usage', message.replace(/\s+/g, ' '));
};
