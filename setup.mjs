// Makes a checkout ready: installs the locked packages and builds, each only when something changed.
// `--servers` also installs the packaged FUSE servers that the tests run (as root on Debian; elsewhere they are skipped, loudly).

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
const newest = (folder) =>
  Math.max(
    0,
    ...readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs),
  );

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`relight needs Node 20.19 or newer; this is ${process.versions.node}`);
  process.exit(3);
}

const installed = `${root}node_modules/.package-lock.json`;
const lockTime = statSync(`${root}package-lock.json`).mtimeMs;
if (
  !process.argv.includes('--build-only') &&
  (!existsSync(installed) || statSync(installed).mtimeMs < lockTime)
) {
  console.error('installing packages …');
  // Not `npm ci`: it refuses a lock without the binaries for other systems, which some mirrors do not carry.
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
}

const built = `${root}dist/.built`;
const sources = Math.max(newest('src'), newest('proto'), lockTime, statSync(`${root}tsconfig.json`).mtimeMs);
if (!existsSync(built) || Number(readFileSync(built, 'utf8')) !== sources) {
  console.error('building …');
  run('npm', ['run', '--silent', 'compile']);
  writeFileSync(built, String(sources));
}

if (process.argv.includes('--servers')) await import('./test/servers/install.mjs');
