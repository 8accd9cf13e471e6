// Makes the JavaScript codec of trace.proto in src/trace/generated, and puts it into dist beside what tsc emits.
// Skips the slow part when the schema did not change.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json'));
const schema = join(root, 'proto/trace.proto');
const folder = join(root, 'src/trace/generated');
const code = join(folder, 'schema.js');
const types = join(folder, 'schema.d.ts');
const schemaTime = statSync(schema).mtime;
const run = (program, args) =>
  execFileSync(process.execPath, [join(cli, 'bin', program), ...args], { cwd: root, stdio: 'inherit' });
const isCurrent = [code, types].every(
  (file) => existsSync(file) && statSync(file).mtimeMs === schemaTime.getTime(),
);

if (!isCurrent) {
  mkdirSync(folder, { recursive: true });
  const leaner = ['--no-service', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--force-long'];
  run('pbjs', ['-t', 'static-module', '-w', 'es6', ...leaner, '-o', code, schema]);
  run('pbts', ['-o', types, code]);
  for (const file of [code, types]) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(from ['"]protobufjs\/minimal)(['"])/, '$1.js$2'));
    // The time of the schema, so that the next build does not take the result for a changed source.
    utimesSync(file, schemaTime, schemaTime);
  }
}
const target = join(root, 'dist/trace/generated');
mkdirSync(target, { recursive: true });
copyFileSync(code, join(target, 'schema.js'));
copyFileSync(types, join(target, 'schema.d.ts'));
