// Everything `npm test` checks: types, lint, dead code, then the tests. Its last line is the count over all of them.
// It knows how to run and count; what a test needs from the machine is decided in test/support/needs.ts.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// The whole run has 90 minutes at most, the installation of packages and servers before it included.
const limitMs = 75 * 60_000;
const stopMs = 15_000;

const scratch = mkdtempSync(join(tmpdir(), 'relight-tests-'));
const tallyFile = join(scratch, 'tally.json');
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
let stopped;

const signalAll = (signal) => {
  for (const child of running) {
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
};

const stop = (reason) => {
  if (stopped !== undefined) return signalAll('SIGKILL');
  stopped = reason;
  signalAll('SIGINT');
  setTimeout(() => signalAll('SIGKILL'), stopMs).unref();
};

/** Runs a program of node_modules, or one by its path, in a process group of its own; resolves to its status and, unless inherited, its output. */
const run = (program, args, { inherit = false, env = {} } = {}) =>
  new Promise((done) => {
    const child = spawn(resolve(root, 'node_modules/.bin', program), args, {
      cwd: root,
      detached: true,
      env: { ...process.env, ...env },
      stdio: inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('error', (error) => done({ status: String(error), output }));
    child.on('close', (code, signal) => {
      running.delete(child);
      done({ status: signal ?? code, output });
    });
  });

const checks = [
  {
    name: 'types of src',
    program: 'tsc',
    args: ['-p', 'tsconfig.json', '--noEmit', '--incremental', 'false'],
  },
  { name: 'types of test', program: 'tsc', args: ['-p', 'test/tsconfig.json'] },
  { name: 'lint and format', program: 'biome', args: ['check', '.'] },
  { name: 'dead code', program: 'knip', args: ['--no-progress'] },
  { name: 'parsers under fuzzing', program: process.execPath, args: ['fuzz/run.mjs', '--seconds', '10'] },
];

const runCheck = async ({ name, program, args }) => {
  const { status, output } = await run(program, args);
  const passed = status === 0;
  console.error(`${passed ? 'ok  ' : 'FAIL'} ${name}`);
  if (!passed) console.error(output.trimEnd());
  return { passed: Number(passed), failed: Number(!passed), skipped: [] };
};

const runVitest = async (args) => {
  const { status } = await run('vitest', ['run', ...args], {
    inherit: true,
    env: { RELIGHT_TALLY: tallyFile },
  });
  const tally = readTally();
  const missed = status !== 0 && tally.failed === 0;
  return missed ? { ...tally, failed: 1 } : tally;
};

const readTally = () => {
  try {
    return JSON.parse(readFileSync(tallyFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
};

const total = (tallies) => ({
  passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
  failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
  skipped: tallies.flatMap(({ skipped }) => skipped),
});

const printSkipped = (skipped) => {
  const byReason = new Map();
  for (const { name, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  for (const [reason, names] of byReason) {
    console.log(`SKIPPED ${names.length}: ${reason}`);
    for (const name of names) console.log(`  ${name}`);
  }
};

process.on('SIGINT', () => stop('interrupted'));
process.on('SIGTERM', () => stop('terminated'));
setTimeout(() => stop(`over ${limitMs / 60_000} minutes`), limitMs).unref();

const tallies = [];
// Two at a time: the checks are single-threaded and the tests want the machine for themselves.
for (let at = 0; at < checks.length && stopped === undefined; at += 2) {
  tallies.push(...(await Promise.all(checks.slice(at, at + 2).map(runCheck))));
}
if (stopped === undefined) tallies.push(await runVitest(process.argv.slice(2)));
rmSync(scratch, { recursive: true, force: true });

const { passed, failed, skipped } = total(tallies);
printSkipped(skipped);
if (stopped !== undefined) console.log(`stopped early: ${stopped}`);
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failed > 0 || stopped !== undefined ? 1 : 0;
