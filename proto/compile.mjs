// Makes the JavaScript codecs of the schemas in `generated` folders, and puts them into dist beside what tsc emits.
// Skips the slow part for a schema that did not change.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json'));
const schemas = [
  { name: 'trace', folder: 'trace/generated' },
  { name: 'finding', folder: 'fuzz/generated' },
];
const run = (program, args) =>
  execFileSync(process.execPath, [join(cli, 'bin', program), ...args], { cwd: root, stdio: 'inherit' });

/** Makes `schema.js` and `schema.d.ts` of one schema, with its time, so that they are not taken for changed sources. */
const make = ({ name, schema, sources: [code, types] }) => {
  mkdirSync(dirname(code), { recursive: true });
  const leaner = ['--no-service', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--force-long'];
  run('pbjs', ['-t', 'static-module', '-w', 'es6', '-r', name, ...leaner, '-o', code, schema]);
  run('pbts', ['-o', types, code]);
  const { mtime } = statSync(schema);
  for (const file of [code, types]) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(from ['"]protobufjs\/minimal)(['"])/, '$1.js$2'));
    utimesSync(file, mtime, mtime);
  }
};

for (const { name, folder } of schemas) {
  const schema = join(root, 'proto', `${name}.proto`);
  const files = ['schema.js', 'schema.d.ts'];
  const sources = files.map((file) => join(root, 'src', folder, file));
  const { mtimeMs } = statSync(schema);
  if (!sources.every((file) => existsSync(file) && statSync(file).mtimeMs === mtimeMs)) make({ name, schema, sources });
  const target = join(root, 'dist', folder);
  mkdirSync(target, { recursive: true });
  for (const [index, file] of files.entries()) copyFileSync(sources[index], join(target, file));
}
