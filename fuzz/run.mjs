// Coverage-guided fuzzing of relight's own parsers with jsfuzz: `npm run fuzz -- [TARGET] [--seconds N]`, all targets when none is
// named. Exits 1 with the input that broke a parser. It knows how to bundle, run and stop; what is tried is in fuzz/targets.

import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { seedsIn } from './seeds.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const jsfuzz = join(require.resolve('jsfuzz/package.json'), '../build/src/index.js');
const corpora = join(root, 'corpora');
const seeds = seedsIn(corpora);
const names = Object.keys(seeds);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' } },
});
const seconds = Number(values.seconds);
const wanted = positionals.length === 0 ? names : positionals;
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined || !(seconds > 0)) {
  console.error(
    unknown === undefined
      ? '--seconds takes a number'
      : `no target ${unknown}; there are ${names.join(', ')}`,
  );
  process.exit(2);
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
const stopAll = () => {
  for (const child of running) stop(child);
};
const stop = (child) => {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
};
process.on('SIGINT', stopAll);
process.on('SIGTERM', stopAll);

/** A target as one CommonJS file in a folder of its own: jsfuzz sees no coverage in ES modules, and writes where it stands. */
const bundle = async (name) => {
  const folder = join(root, '.cache/fuzz', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
  await build({
    entryPoints: [join(root, 'fuzz/targets', `${name}.ts`)],
    outfile: join(folder, 'target.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // A target has to stay an async function: jsfuzz does not wait for any other.
    target: 'node20',
    external: ['koffi'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: 'error',
  });
  const corpus = join(folder, 'corpus');
  const kept = join(corpora, 'fuzz', name);
  mkdirSync(corpus);
  if (existsSync(kept)) cpSync(kept, corpus, { recursive: true });
  for (const [at, seed] of seeds[name].entries()) writeFileSync(join(corpus, `seed-${at}`), seed);
  return folder;
};

/** Runs jsfuzz for a while; resolves to its last words, and the file that broke the parser if there is one. */
const run = (folder) =>
  new Promise((resolve) => {
    // The timeout is for one input; jsfuzz itself never ends. Its versifier takes seconds to learn from a few lines of text.
    const options = ['--timeout', '10', '--no-versifier'];
    const child = spawn(process.execPath, [jsfuzz, 'target.js', 'corpus', ...options], {
      cwd: folder,
      detached: true,
      // What it leaves behind when it is stopped goes with the folder.
      env: { ...process.env, RELIGHT_CORPORA: corpora, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    const hear = (chunk) => {
      output = `${output}${chunk}`.slice(-20_000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      stop(child);
    }, seconds * 1000);
    child.on('close', () => {
      running.delete(child);
      clearTimeout(timer);
      resolve({ output, isOver, crash: readdirSync(folder).find((file) => file.startsWith('crash-')) });
    });
  });

const fuzzed = async (name) => {
  const folder = await bundle(name);
  const { output, isOver, crash } = await run(folder);
  const runs = Number(/#(\d+) (?:PULSE|NEW)(?![\s\S]*#\d+ (?:PULSE|NEW))/.exec(output)?.[1] ?? 0);
  // Ending by itself, or never trying anything, is no pass.
  const isGood = isOver && crash === undefined && runs > 0;
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name}: ${runs} inputs`);
  if (isGood) return true;
  console.error(output.trimEnd());
  if (crash !== undefined)
    console.error(`${join(folder, crash)}\nhex ${readFileSync(join(folder, crash)).toString('hex')}`);
  return false;
};

const results = [];
// Each takes two processes, one of which waits for the other.
for (let at = 0; at < wanted.length; at += 2)
  results.push(...(await Promise.all(wanted.slice(at, at + 2).map(fuzzed))));
process.exitCode = results.every(Boolean) ? 0 : 1;
