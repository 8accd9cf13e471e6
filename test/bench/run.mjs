// `npm run bench -- NAME`: runs one benchmark of this folder and writes what it found into results/NAME.md.
// NAME.bench.ts exports `bench` and gives a table; NAME.mjs is a program whose output is the result. Either is run by plain
// node, compiled first where need be: a test runner's transformations would be measured too.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = `${root}test/bench`;
const compiled = `${root}.cache/compiled`;

const names = readdirSync(here)
  .map((file) => /^(.*)(?:\.bench\.ts|\.mjs)$/.exec(file)?.[1])
  .filter((name) => name !== undefined && name !== 'run')
  .sort();

const compile = () => {
  const args = ['-p', `${root}test/tsconfig.json`, '--noEmit', 'false', '--outDir', compiled];
  const { status, stdout } = spawnSync(`${root}node_modules/.bin/tsc`, args, { encoding: 'utf8' });
  // A type error elsewhere in the tests is no reason not to measure.
  if (status !== 0) console.error(stdout);
};

const runProgram = (name, args) => {
  const { status, stdout } = spawnSync(process.execPath, ['--expose-gc', `${here}/${name}.mjs`, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${name}.mjs ended with ${status}`);
  return { title: name, result: `\`\`\`text\n${stdout}\`\`\`\n` };
};

const runCompiled = async (name, args) => {
  const module = `${compiled}/test/bench/${name}.bench.js`;
  if (!existsSync(module)) throw new Error(`${module} was not compiled`);
  const { bench } = await import(module);
  return { title: bench.title, result: await bench.run(args) };
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME\nbenchmarks: ${names.join(', ')}`);
  process.exit(name === undefined ? 0 : 2);
}
spawnSync(process.execPath, [`${root}setup.mjs`, '--build-only'], { stdio: 'inherit' });
compile();
const isProgram = existsSync(`${here}/${name}.mjs`);
const { title, result } = isProgram ? runProgram(name, args) : await runCompiled(name, args);
const { machineFacts } = await import(`${compiled}/test/bench/machine.js`);
const report = `# ${title}\n\n${result}\n${machineFacts()}`;
console.log(report);
mkdirSync(`${here}/results`, { recursive: true });
writeFileSync(`${here}/results/${name}.md`, report);
