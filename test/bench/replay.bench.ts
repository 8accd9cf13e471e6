/** How fast replay is: against a bare loop and the real kernel, in revalidating a large cache, and in keeping to recorded times. */

import type { Bench } from './bench.js';
import { paceSection } from './replay/pace.js';
import { ratesSection } from './replay/rates.js';
import { recoverySection } from './replay/recovery.js';

const sections: Readonly<Record<string, (argument?: string) => Promise<string>>> = {
  rates: ratesSection,
  recovery: recoverySection,
  pace: paceSection,
};

/** `npm run bench -- replay [SECTION [ARGUMENT]]`: all sections, or one of them. */
const run = async ([wanted, argument]: readonly string[]): Promise<string> => {
  const parts: string[] = [];
  for (const [name, section] of Object.entries(sections))
    if (wanted === undefined || wanted === name) parts.push(await section(argument));
  return `${parts.join('\n\n')}\n`;
};

/** The benchmark. */
export const bench: Bench = { title: 'How fast replay is', run };
