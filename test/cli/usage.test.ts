/** Wrong arguments: one clear line with a hint on standard error, nothing on standard output, and the right status. */

import { describe, expect } from 'vitest';
import { test } from '../support/leak-guard.js';
import { runRelight } from '../support/relight.js';

const wrong: readonly (readonly [args: readonly string[], line: string])[] = [
  [['recrod'], 'relight: there is no verb "recrod"; did you mean record?'],
  [['zzz'], 'relight: there is no verb "zzz"; relight --help lists the verbs'],
  [['--json', 'stats'], 'relight: --json stands before the verb; relight VERB [options]'],
  [['record', '--', 'true'], 'relight: record needs --output; relight record --help shows an example'],
  [['record', '-o'], 'relight: -o needs a value'],
  [
    ['record', '-o', 't', '--paylod', 'full', '--', 'true'],
    'relight: record has no option --paylod; did you mean --payload?',
  ],
  [
    ['record', '-o', 't', '--payload', 'some', '--', 'true'],
    'relight: --payload cannot be "some"; choose full, none, hash, or first:BYTES as in first:256',
  ],
  [
    ['record', '-o', 't', '--codec', 'lzma', '--', 'true'],
    'relight: --codec cannot be "lzma"; choose one of brotli, deflate, none',
  ],
  [
    ['record', '-o', 't', '--rotate', '10X', '--', 'true'],
    'relight: --rotate cannot be "10X"; give bytes, or a number with K, M or G, as in 64M',
  ],
  [
    ['record', '-o', 't', '--filter', 'op==REED', '--', 'true'],
    'relight: filter, column 5: expected an operation such as LOOKUP (did you mean READ?), found "REED"; ' +
      "for example --filter 'op==READ && error==0'",
  ],
  [
    ['record', '-o', 't', 'bindfs', 'a', 'b'],
    "relight: record does not understand bindfs; put the server's command after --",
  ],
  [
    ['record', '-o', 't'],
    "relight: record needs a server's command; put it after --, as in relight record -o t.rlt -- bindfs -f /data /mnt/data",
  ],
  [
    ['tour', '-o', 't', '--remove', '--', 'true'],
    'relight: --remove has nothing to remove; give --write with it',
  ],
  [['show'], 'relight: show needs TRACE; usage: relight show TRACE [options]'],
  [['show', 'a', 'b'], 'relight: show does not understand b; usage: relight show TRACE [options]'],
  [['show', 'no-such-trace'], 'relight: cannot open no-such-trace: no such file or directory'],
  [['show', '/'], 'relight: / is not a regular file'],
  [['show', 'package.json'], 'relight: package.json is not a relight trace'],
  [['show', 't', '--limit', '-1'], 'relight: --limit cannot be "-1"; give a whole number'],
];

describe('wrong arguments', () => {
  for (const [args, line] of wrong)
    test(`relight ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await runRelight(args);
      expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: `${line}\n` });
    });

  test("a command that does not exist is the server's trouble", async ({ folder }) => {
    const { status, stderr } = await runRelight(['record', '-o', `${folder}/t`, '--', 'no-such-server']);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr:
        'relight: cannot start no-such-server: spawn no-such-server ENOENT; check the command after -- and that it is on the PATH\n',
    });
  });
});

describe('help', () => {
  test('without arguments it goes to standard error', async () => {
    const { status, stdout, stderr } = await runRelight([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('relight record');
  });

  test('of a verb has an example and fits 80 columns', async () => {
    for (const verb of ['record', 'show', 'stats', 'repair', 'redact', 'export', 'doctor', 'specimen']) {
      const { status, stdout } = await runRelight([verb, '--help']);
      expect({ verb, status }).toEqual({ verb, status: 0 });
      expect(stdout).toContain('Examples:');
      expect(stdout.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
    }
  });

  test('--version prints the version alone', async () => {
    expect((await runRelight(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
