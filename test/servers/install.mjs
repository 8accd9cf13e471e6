// Installs the Debian packages of packages.json whose program or file is missing, as root on Debian; elsewhere it says
// what is missing and leaves the machine alone. It knows nothing of the tests: those look for what they need themselves.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';

const packages = JSON.parse(readFileSync(new URL('packages.json', import.meta.url), 'utf8'));
// Debian keeps mke2fs and mkntfs where an ordinary user's PATH does not look.
const path = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
const inCi = process.env.CI === 'true';

const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const isPresent = (need) =>
  need.startsWith('/') ? existsSync(need) : path.some((folder) => isExecutable(`${folder}/${need}`));

const missing = () => Object.keys(packages).filter((need) => !isPresent(need));

const canInstall = () =>
  process.getuid?.() === 0 && existsSync('/etc/debian_version') && isPresent('apt-get');

/** apt-get without questions; its output only when it fails. Slim images leave out documentation, where the examples are. */
const apt = (...args) =>
  spawnSync(
    'apt-get',
    ['-qq', '-y', '-o', 'Dpkg::Use-Pty=0', '-o', 'Dpkg::Options::=--path-include=/usr/share/doc/*', ...args],
    { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );

const install = (names) => {
  const args = ['install', '--no-install-recommends', '--reinstall', ...names];
  if (apt(...args).status === 0) return undefined;
  const update = apt('update');
  const second = apt(...args);
  return second.status === 0 ? undefined : `${update.stderr}${second.stdout}${second.stderr}`;
};

const before = missing();
if (before.length > 0 && canInstall()) {
  const names = [...new Set(before.map((need) => packages[need]))].sort();
  console.error(`installing packaged servers and tools for the tests: ${names.join(' ')} …`);
  const trouble = install(names);
  if (trouble !== undefined) console.error(trouble.trimEnd());
}

const absent = missing();
if (absent.length > 0) {
  const names = [...new Set(absent.map((need) => packages[need]))].sort();
  console.error(`missing for the tests: ${absent.join(', ')}`);
  console.error(`tests that need them are skipped; as root on Debian: apt-get install ${names.join(' ')}`);
  if (inCi) process.exit(3);
}
