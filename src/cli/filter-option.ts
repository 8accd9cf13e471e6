/** The `--filter` option: parsed, or an error that points at the place. */

import { RelightError } from '../base/error.js';
import { type Filter, isFilterError, parseFilter } from '../trace/filter.js';

/** A filter from its text; `undefined` for an empty one. Throws `usage` where the text is no filter. */
export const filterFrom = (text: string): Filter | undefined => {
  if (text.trim() === '') return undefined;
  const parsed = parseFilter(text);
  if (isFilterError(parsed))
    throw new RelightError('usage', parsed.message, {
      remedy: `for example --filter 'op==READ && error==0'`,
    });
  return parsed;
};

/** The option, the same for every verb that has it. */
export const filterOption = {
  type: 'string',
  alias: 'f',
  describe: "only what matches, as in 'op==READ && error==0'",
  default: '',
  requiresArg: true,
} as const;
