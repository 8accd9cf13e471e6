/** The house rules that a machine can check: floors, one table of operations, tests that mirror sources, a repository that stands alone. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const engines = ['base', 'protocol', 'transport', 'trace', 'kernel', 'specimen', 'plan', 'oracle'];
const runners = [...engines, 'proxy', 'replay'];

/** Which folders each folder of `src/` may import, lowest floor first; `cli` may import all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ['base'],
  transport: ['base'],
  trace: ['base', 'protocol'],
  kernel: ['base', 'protocol'],
  specimen: ['base', 'protocol', 'transport'],
  plan: ['base', 'protocol', 'trace', 'kernel'],
  oracle: ['base', 'protocol', 'kernel'],
  proxy: engines,
  replay: engines,
  fuzz: runners,
  report: [...runners, 'fuzz'],
};
const folders = [...Object.keys(mayImport), 'cli'];

/** Folders that compute from values alone: no files, sockets, threads or processes. */
const pure = ['protocol', 'kernel', 'oracle', 'report'];
const inputAndOutput = '^(node:)?(fs|net|dgram|worker_threads|child_process)';

const floors = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder} imports only ${allowed.join(', ') || 'itself'}`,
  severity: 'error' as const,
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
}));

const rules: IConfiguration = {
  forbidden: [
    ...floors,
    { name: 'no cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'native calls and child processes only in transport',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/transport/' },
      to: { path: '^(node:)?child_process$|^koffi|node_modules/koffi/' },
    },
    {
      name: `no input or output in ${pure.join(', ')}`,
      severity: 'error',
      from: { path: `^src/(${pure.join('|')})/` },
      to: { path: inputAndOutput },
    },
  ],
};

const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

const sources = filesUnder('src').filter((file) => file.endsWith('.ts'));

const violations = async (): Promise<string[]> => {
  const { output } = await cruise(
    ['src'],
    {
      ruleSet: rules,
      validate: true,
      baseDir: root,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
    },
    { extensions: ['.ts', '.js', '.json', '.node'], conditionNames: ['import', 'node'] },
  );
  const { summary } = output as ICruiseResult;
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
};

/** Text files that git would commit; a checkout without git is searched whole. */
const committed = (): string[] =>
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(root, file)) && statSync(join(root, file)).isFile())
    .filter((file) => !readFileSync(join(root, file)).includes(0));

describe('floors', () => {
  test('each folder of src has its floor', () => {
    const present = readdirSync(join(root, 'src')).sort();
    expect(folders).toEqual(expect.arrayContaining(present));
  });

  test('imports go down, never round, never out of their folder', { timeout: 60_000 }, async () => {
    expect(await violations()).toEqual([]);
  });
});

describe('one table of operations', () => {
  test('no switch on an opcode outside protocol', () => {
    const switches = /switch\s*\([^)]*(opcode|operation|\bop\b|\.op\b)[^)]*\)/i;
    const offenders = sources
      .filter((file) => !file.startsWith('src/protocol/'))
      .filter((file) => switches.test(readFileSync(join(root, file), 'utf8')));
    expect(offenders).toEqual([]);
  });
});

describe('tests', () => {
  test('mirror sources: what lies in test/FOLDER is about src/FOLDER', () => {
    const strays = filesUnder('test')
      .filter((file) => file.endsWith('.test.ts') && folders.includes(file.split('/')[1] ?? ''))
      .filter((file) => !isAboutItsFolder(file));
    expect(strays).toEqual([]);
  });

  test('every folder of src has some', () => {
    const bare = folders
      .filter((folder) => sources.some((file) => file.startsWith(`src/${folder}/`)))
      .filter((folder) => !existsSync(join(root, 'test', folder)));
    expect(bare).toEqual([]);
  });
});

/** It imports the built folder, or for the command line runs it. */
const isAboutItsFolder = (testFile: string): boolean => {
  const folder = testFile.split('/')[1];
  const text = readFileSync(join(root, testFile), 'utf8');
  return text.includes(`'#relight/${folder}/`) || (folder === 'cli' && text.includes('support/relight.js'));
};

describe('the repository stands alone', () => {
  test('no file names a place on one machine or a package registry', () => {
    const places = /(^|[\s"'`(=:])\/(work|root)\/[\w.]+|registry\.(npmjs|yarnpkg)|deb\.debian\.org/m;
    const offenders = committed()
      .filter((file) => file !== 'test/architecture.test.ts')
      .filter((file) => places.test(readFileSync(join(root, file), 'utf8')));
    expect(offenders).toEqual([]);
  });
});
