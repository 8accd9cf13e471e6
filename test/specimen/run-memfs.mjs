// Runs a memfs as `relight specimen memfs` does: node run-memfs.mjs [options] MNT|/dev/fd/N
import { parseArgs } from 'node:util';
import { runMemfs } from '#relight/specimen/memfs.js';
import { memfsOptionsFrom, memfsOptionTable } from '#relight/specimen/options.js';

const options = Object.fromEntries(
  Object.entries(memfsOptionTable).map(([name, { type, alias, default: given }]) => [
    name,
    {
      type: type === 'boolean' ? 'boolean' : 'string',
      ...(alias && { short: alias }),
      ...(given !== undefined && { default: type === 'boolean' ? given : String(given) }),
    },
  ]),
);
const { values, positionals } = parseArgs({ options, allowPositionals: true, allowNegative: true });
try {
  process.exitCode = await runMemfs(memfsOptionsFrom(values, positionals[0] ?? ''));
} catch (error) {
  console.error(error.message);
  process.exitCode = error.code === 'usage' ? 2 : 3;
}
